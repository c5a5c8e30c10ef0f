/* Dialogs and menus: opening, closing, where the focus goes, and what a failed save says. */
const SUMMARY = '[data-error-summary]';
const focusIn = (node) => (node.matches(SUMMARY) ? node : node.querySelector(SUMMARY))?.focus();
const shut = (m) => { if (m.contains(document.activeElement)) m.querySelector('summary').focus(); m.removeAttribute('open'); };

function open(dialog) {
  if (dialog.open) return;
  dialog.querySelectorAll('[data-anew]').forEach((part) => part.replaceChildren('Loading…')); // of what was open before
  dialog.showModal();
  dialog.querySelector('.dlg-b :is(input:not([type=hidden]),select,textarea)')?.focus();
}

function onClick(e) {
  const opener = e.target.closest('[data-dialog]');
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog && !e.ctrlKey && !e.metaKey) {
    e.preventDefault(); // without JavaScript the link leads to the same form as a page
    opener.closest('details')?.removeAttribute('open');
    open(dialog);
  }
  const closer = e.target.closest('[data-close]');
  if (closer?.closest('dialog')) {
    e.preventDefault();
    closer.closest('dialog').close();
  }
  document.querySelectorAll('details.menu[open]').forEach((m) => m.contains(e.target) || m.removeAttribute('open'));
}

/* A form brings along what was typed; a conflict without one must not take it away: it is shown above the form. */
function onSwap({ detail }) {
  const { status, responseText } = detail.xhr;
  if (/^\s*<form/.test(responseText)) { if (status === 503) Object.assign(detail, { shouldSwap: true, isError: false }); return; }
  const slot = status === 409 && detail.target.querySelector?.('[data-conflict-slot]');
  if (slot) Object.assign(detail, { target: slot, swapOverride: 'innerHTML' });
}

function onFailure(e) {
  const part = e.detail.target?.closest?.('[data-anew]');
  if (part) { part.textContent = 'This did not load. Close it, and open it again.'; part.focus(); return; }
  const place = e.detail.elt.querySelector('[data-sent]') || document.getElementById('act-note');
  if (!place) return;
  const why = e.detail.isOver ? 'you were signed out' : 'the server did not answer';
  place.textContent = `Not saved: ${why}. What you wrote is kept. Try again.`;
  place.focus();
}

export function dialogs() {
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') document.querySelectorAll('details.menu[open]').forEach(shut);
  });
  document.addEventListener('htmx:beforeSwap', onSwap);
  document.addEventListener('htmx:load', (e) => focusIn(e.detail.elt));
  ['htmx:sendError', 'htmx:responseError', 'htmx:timeout'].forEach((name) => document.addEventListener(name, onFailure));
}
