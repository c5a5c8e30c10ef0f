/* What stands beside the queue (who is on shift, second readings, what is due today, late alerts): fetched again when
   the server says that it is another one, and put in only where nobody points or types at that moment. */
import { scan } from '../lib/clocks.js';
import { say } from '../lib/say.js';
import { put } from './board_counts.js';

const SAID = { shift: 'Who is on shift has changed.', readings: 'What waits for a second reader has changed.', today: '', late: '' };
const AGAIN = 5_000; // a part that could not be fetched is asked for again
const latest = new Map(); // topic -> mark by part
const asked = {};
let timer;

const isOld = (part) => {
  const shown = JSON.parse(document.getElementById(part)?.dataset.marks ?? '{}');
  return [...latest].some(([topic, marks]) => topic in shown && shown[topic] !== marks[part]);
};

/* Whether somebody is at the part, or at what stands below it and would move. */
function isInUse(node) {
  for (let one = node; one; one = one.nextElementSibling) if (one.matches(':hover, :focus-within')) return true;
  return document.body.classList.contains('is-covered');
}

function look() {
  const old = Object.keys(SAID).filter(isOld);
  timer = old.length ? setTimeout(look, 1_000) : undefined;
  old.forEach((part) => {
    const node = document.getElementById(part);
    if (isInUse(node) || Date.now() - (asked[part] ?? 0) < AGAIN) return;
    asked[part] = Date.now();
    window.htmx.ajax('GET', node.dataset.url, { source: node, target: node, swap: 'outerHTML' });
  });
}

export function beside({ topic, marks }) {
  latest.set(topic, marks);
  timer ??= setTimeout(look, 300);
}

/* What is said of late alerts lies over the page's end, so that nothing moves, and leaves by itself. */
function overlay(bar) {
  bar?.togglePopover('since' in bar.dataset);
  return bar && 'since' in bar.dataset ? bar.textContent : 'Alerts arrive in time again.';
}

overlay(document.getElementById('late'));
document.addEventListener('htmx:afterSettle', ({ target }) => {
  if (!(target.id in SAID)) return;
  delete asked[target.id];
  scan(target);
  if (target.id === 'shift') document.querySelector('[data-on-shift]').textContent = target.querySelectorAll('[data-person]').length;
  if (target.dataset.figures) put(JSON.parse(target.dataset.figures));
  if (target.id === 'late') say(overlay(target), 'since' in target.dataset);
  if (SAID[target.id]) say(SAID[target.id]);
});
