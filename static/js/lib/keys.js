/* Single-key shortcuts (WCAG 2.1.4: the account can switch them off; never while typing or while a form is open). */
const typing = (node) => node.closest?.('input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]');
const seen = (node) => node.getClientRects().length > 0 && !node.closest('[inert]');

/* `acts`: key -> function. A key without one presses the visible control that carries it in data-key;
   after G it follows the link that carries it in data-go. */
export function keys(acts) {
  let g = 0;
  if (document.body.dataset.keys === 'off') return;
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const wasG = Date.now() - g < 900;
    g = key === 'g' ? Date.now() : 0;
    const find = (name) => [...document.querySelectorAll(`[data-${name}="${CSS.escape(key)}"]`)].find(seen);
    const place = wasG && find('go');
    const control = key.length === 1 && find('key');
    if (place) place.click();
    else if (acts[key]) acts[key](e);
    else if (control) control.click();
    else return;
    e.preventDefault();
  });
}
