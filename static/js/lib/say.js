/* Says sentences to screen readers, through the two live regions that base.html holds from the start. What comes in a
   burst is said together: one sentence must not take the place of another that was not read yet. */
const MOST = 3; // of what can wait; whatever is said at once is said whole
const coming = { 'say-now': new Set(), 'say-polite': new Set() };

export function say(text, atOnce = false) {
  const id = atOnce ? 'say-now' : 'say-polite';
  const region = document.getElementById(id);
  if (!region || !text) return;
  coming[id].add(text);
  if (coming[id].size > 1) return;
  region.textContent = ''; // the same sentence twice would not be read twice
  setTimeout(() => {
    const all = [...coming[id]];
    coming[id].clear();
    const more = atOnce ? 0 : Math.max(0, all.length - MOST);
    region.textContent = [...all.slice(more), ...(more ? [`And ${more} more.`] : [])].join(' ');
  }, 150);
}
