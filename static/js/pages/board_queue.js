/* The rows of the board: what is known, what is held back, and what a change does to a row that is on screen. */
const WAITING = ['new', 'notified'];
const OWNED = ['acknowledged', 'in_contact', 'monitoring'];
const $$ = (css, root = document) => [...root.querySelectorAll(css)];
export const write = (css, value, root) => $$(css, root).forEach((node) => { node.textContent = typeof value === 'function' ? value(node) : value; });

export const phaseOf = (state) => (WAITING.includes(state) ? 'waiting' : OWNED.includes(state) ? 'progress' : 'closed');
export const waits = (row) => phaseOf(row.dataset.state) === 'waiting';

export const { me } = document.body.dataset;
export const lists = { waiting: document.getElementById('queue'), progress: document.getElementById('progress') };
const indexed = (text) => new Map(JSON.parse(text).map((alert) => [alert.id, alert]));
export const known = indexed(document.getElementById('lists').dataset.open); // every open alert, shown or not
const held = new Map(); // alert id -> row that is not in a list yet

export const rowOf = (id) => document.getElementById(`q-${id}`);
export const news = () => [...held.values()].filter(waits).sort((a, b) => b.dataset.r - a.dataset.r);
export const needsAlarm = () => [...known.values()].some((a) => a.level === 'critical' && phaseOf(a.state) === 'waiting');

export function rowFrom(html) {
  const holder = document.createElement('template');
  holder.innerHTML = html; // our own server's bytes, escaped there; the CSP runs no script from them
  return decorate(holder.content.querySelector('li.q'));
}

function hour({ dateTime: iso }) {
  const zone = { timeZone: document.body.dataset.zone };
  const day = (at) => new Date(at).toLocaleDateString('en-GB', zone);
  const date = day(iso) === day(Date.now()) ? {} : { day: 'numeric', month: 'short' };
  return new Date(iso).toLocaleString('en-GB', { ...zone, ...date, hour: '2-digit', minute: '2-digit' });
}

/* "Mine" and the zone are decided here, because the bytes of a row are the same for everybody. */
export function decorate(row) {
  write('time:not([data-clock])', hour, row);
  if (!me || row.dataset.owner !== me) return row;
  row.classList.add('mine');
  write('[data-own]', 'You', row);
  row.querySelector('.av')?.classList.add('av-me');
  return row;
}

/* Puts the new version where the old one stands: same place, same height, focus kept. */
function replace(old, row) {
  const focused = old.contains(document.activeElement);
  const list = old.closest('[data-list]')?.dataset.list;
  row.style.minHeight = `${old.getBoundingClientRect().height}px`; // set by script, which the CSP allows
  ['sel', 'q-new'].forEach((name) => row.classList.toggle(name, old.classList.contains(name)));
  if (old.hasAttribute('aria-current')) row.setAttribute('aria-current', 'true');
  const isOver = phaseOf(row.dataset.state) === 'closed';
  row.classList.toggle('taken', isOver || (list === 'waiting' && !waits(row) && row.dataset.owner !== me));
  old.replaceWith(row);
  if (focused) row.querySelector('.q-name').focus({ preventScroll: true });
}

/* Takes one change in. Returns {row, before, isNew}: `isNew` when somebody has to be told that a person waits. */
export function take(html) {
  const row = rowFrom(html);
  const { id, state, level, owner, n } = row.dataset;
  const [before, old] = [known.get(id), rowOf(id)];
  if (old && Number(old.dataset.n) > Number(n)) return null; // a replay of what is already shown
  const isOpen = phaseOf(state) !== 'closed';
  const isNew = waits(row) && (!before || phaseOf(before.state) !== 'waiting' || before.level !== level);
  const due = row.querySelector('.sla')?.dataset.due; // of the claim, while it waits for one
  if (isOpen) known.set(id, { state, owner, level, claim_due: due });
  else known.delete(id);
  if (old) replace(old, row);
  else if (isOpen && (isNew || held.has(id) || !before)) held.set(id, row);
  else held.delete(id); // over, or outside the filter and nothing new
  return { row, before, isNew };
}

/* Takes the server's fresh index of open alerts: what is not in it is over. */
export function settle(text) {
  const open = indexed(text);
  [...known.keys()].filter((id) => !open.has(id)).forEach((id) => {
    known.delete(id);
    held.delete(id);
    rowOf(id)?.classList.add('taken');
  });
  open.forEach((alert, id) => known.set(id, alert));
}

function sort(list) { // risk, then a person who waits, then waiting time: the server's order
  const rank = ({ dataset: d }) => [9 - d.r, 1 - d.sos, new Date(d.since).toISOString(), d.id].join(' ');
  list.append(...[...list.children].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)));
}

/* Shows what was held back and clears what is over; returns the new rows. */
export function showHeld() {
  const rows = [...held.values()];
  held.clear();
  $$('#lists .q').concat(rows).forEach((row) => {
    const list = known.has(row.dataset.id) && lists[phaseOf(row.dataset.state)];
    row.classList.remove('taken');
    row.classList.toggle('q-new', rows.includes(row));
    row.style.minHeight = '';
    if (!list) row.remove();
    else if (row.parentElement !== list) list.append(row);
  });
  Object.values(lists).forEach(sort);
  return rows;
}
