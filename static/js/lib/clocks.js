/* Clocks that tick in the browser from server times. [data-due] counts down (and fills its bar since [data-from]);
   time[data-clock="since|left|ago"] rewrites itself. A clock that changes its state fires `clock` once. */
const MINUTE = 60_000;
const EXACT = 15 * MINUTE; // seconds are shown for a critical alert, or this near
let offset = 0;
let synced = false;

export const now = () => Date.now() + offset;

/* Takes the server's time in; small differences are the network's, not the clock's. */
export function sync(iso) {
  const found = Date.parse(iso) - Date.now();
  if (synced && Math.abs(found - offset) <= 2_000) return;
  [offset, synced] = [found, true];
  scan();
}

/* "3:05", "41 min", "2 h 5 min", "3 d" */
export function span(ms, exact) {
  const seconds = Math.floor(Math.abs(ms) / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (exact && minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d`;
}

const write = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };
const exactly = (node, ms) => Math.abs(ms) < EXACT || Boolean(node.closest('[data-r="4"]'));
const words = (node, left) => `${span(left, exactly(node, left))} ${left < 0 ? 'over' : 'left'}`;

function due(node) {
  const [end, start] = [Date.parse(node.dataset.due), Date.parse(node.dataset.from)];
  const left = end - now();
  const whole = end - start || 3 * EXACT;
  const state = left < 0 ? 'over' : left < whole / 3 ? 'soon' : 'ok';
  write(node.querySelector('[data-left]') ?? (node.children.length ? null : node), words(node, left));
  node.querySelector('[data-bar]')?.setAttribute('width', `${Math.min(100, Math.max(0, 100 - (100 * left) / whole)).toFixed(0)}%`);
  if (node.dataset.s === state) return;
  const was = node.dataset.s;
  node.dataset.s = state;
  if (was) node.dispatchEvent(new CustomEvent('clock', { bubbles: true, detail: state }));
}

function time(node) {
  const ms = now() - Date.parse(node.dateTime);
  const text = { since: () => span(ms, exactly(node, ms)), left: () => words(node, -ms), ago: () => `${ms < MINUTE ? `${Math.max(0, Math.floor(ms / 1_000))} s` : span(ms)} ago` };
  write(node, text[node.dataset.clock]());
}

/* Brings every clock below `root` up to date; called each second for the page, and by hand for what is new. */
export function scan(root = document) {
  root.querySelectorAll('[data-due]:not([data-due=""])').forEach(due);
  root.querySelectorAll('time[data-clock]').forEach(time);
}

if (document.body.dataset.now) sync(document.body.dataset.now);
setInterval(scan, 1_000, document);
