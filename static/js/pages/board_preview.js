/* The panel beside the list: which row is selected, its panel on the way, and what is said when it doesn't come. */
import { scan } from '../lib/clocks.js';
import { say } from '../lib/say.js';
import { settleEscalation } from './board_keys.js';

const $ = (css, root = document) => root.querySelector(css);
const panel = () => $('#preview');
const selected = () => $('#lists .q.sel');
const data = document.body.dataset;
export const beside = () => innerWidth > 1180; // narrower, the panel is a drawer
let soon;
let lost = false;

export const shows = (id) => panel().dataset.id === id;

export function select(row, { open = false, focus = true } = {}) {
  document.querySelectorAll('.q.sel').forEach((other) => { other.classList.remove('sel'); other.removeAttribute('aria-current'); });
  row.classList.add('sel');
  row.setAttribute('aria-current', 'true');
  if (focus) $('.q-name', row).focus();
  if (open) data.preview = 'open';
  panel().inert = !shows(row.dataset.id); // of another person: not to be acted on
  clearTimeout(soon);
  if (!shows(row.dataset.id) || open) soon = setTimeout(load, 120, row); // J held down asks once
}

/* Asks for the panel of a row; an answer that never comes is said where it would have stood. */
function load(row) {
  lost = false;
  // By itself, not in the queue of the parts beside it: one of theirs would take its place.
  window.htmx.ajax('GET', $('.q-name', row).dataset.preview, { source: panel().parentElement, target: '#preview', swap: 'outerHTML' });
}

function missing() {
  settleEscalation('');
  lost = true;
  const again = Object.assign(document.createElement('button'), { className: 'btn', type: 'button', textContent: 'Try again' });
  again.addEventListener('click', reload);
  const words = Object.assign(document.createElement('p'), { textContent: 'The details did not load. ' });
  words.append(again);
  const body = Object.assign(document.createElement('div'), { className: 'card-b' });
  body.append(words);
  panel().replaceChildren(body);
  Object.assign(panel(), { inert: false });
  delete panel().dataset.id;
  say('The details did not load.', true);
}

/* Takes the panel in anew: after a change of what it shows, or when the line is back. */
export function reload() {
  const row = selected();
  if (row) load(row);
}
export const recover = () => { if (lost) reload(); };

export function close() {
  delete data.preview;
  $('.q.sel .q-name')?.focus();
}

['htmx:sendError', 'htmx:responseError', 'htmx:timeout'].forEach((name) => {
  document.addEventListener(name, ({ detail }) => detail.target?.id === 'preview' && missing());
});
document.addEventListener('htmx:afterSettle', (e) => {
  if (e.target.id !== 'preview') return;
  scan(e.target);
  settleEscalation(e.target.dataset.id);
  const row = selected(); // another may have been selected while this one was on its way
  if (row && !shows(row.dataset.id)) select(row, { focus: false });
  else if (!beside()) $('#pv-h')?.focus();
});
