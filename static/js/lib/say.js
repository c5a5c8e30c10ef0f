/* Says a sentence to screen readers, through the two live regions that base.html holds from the start. */
export function say(text, atOnce = false) {
  const region = document.getElementById(atOnce ? 'say-now' : 'say-polite');
  if (!region) return;
  region.textContent = ''; // the same sentence twice would not be read twice
  requestAnimationFrame(() => { region.textContent = text; });
}
