/* Dialogs and menus: opening, closing, where the focus goes, and what a failed save says. */
const SUMMARY = '[data-error-summary]';
const focusIn = (node) => (node.matches(SUMMARY) ? node : node.querySelector(SUMMARY))?.focus();

function open(dialog) {
  if (dialog.open) return;
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

/* A conflict must not take away what was typed: it is shown above the form, unless it brings that form along. */
function onSwap(e) {
  const slot = e.detail.xhr.status === 409 && !/^\s*<form/.test(e.detail.xhr.responseText) && e.detail.target.querySelector?.('[data-conflict-slot]');
  if (!slot) return;
  e.detail.target = slot;
  e.detail.swapOverride = 'innerHTML';
}

function onFailure(e) {
  const place = e.detail.elt.querySelector('[data-sent]') || document.getElementById('act-note');
  if (!place) return;
  place.textContent = 'Not saved: the server did not answer. What you wrote is kept. Try again.';
  place.focus();
}

export function dialogs() {
  document.addEventListener('click', onClick);
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') document.querySelectorAll('details.menu[open]').forEach((m) => m.removeAttribute('open'));
  });
  document.addEventListener('htmx:beforeSwap', onSwap);
  document.addEventListener('htmx:load', (e) => focusIn(e.detail.elt));
  ['htmx:sendError', 'htmx:responseError'].forEach((name) => document.addEventListener(name, onFailure));
}
