/* The caseload: J and K move, Enter opens, R ticks off, U takes it back, / finds, N shows what is new. What changes
   elsewhere is pushed as a mark; its badges come into the lines that stand, and the order waits for Show. */
import { keyActs } from '../cortex.js';
import { connect } from '../lib/live.js';
import { say } from '../lib/say.js';
import { timeText } from './pill.js';

const AGAIN = 3_000;
const tray = document.getElementById('news');
const words = tray.querySelector('[data-news-words]');
const show = tray.querySelector('[data-show]');
const names = () => [...document.querySelectorAll('.cl-row .q-name')];
const here = () => document.activeElement.closest('.cl-row');
let shown = tray.dataset.mark;
let [asking, wanted, news] = [false, shown, ''];

function move(step) {
  const rows = names();
  const row = here();
  const at = row ? rows.indexOf(row.querySelector('.q-name')) : -1;
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

/* The focus stays in the line: the button that is pressed goes with its form. */
function press(kind) {
  const row = here();
  const button = row?.querySelector(`[data-${kind}]`);
  if (!button) return;
  row.querySelector('.q-name').focus();
  button.click();
}

Object.assign(keyActs, {
  j: () => move(1),
  k: () => move(-1),
  r: () => press('review'),
  u: () => press('undo'),
  n: () => { if (!show.hidden) tray.requestSubmit(); },
  '/': () => document.getElementById('q').focus(),
});

document.addEventListener('htmx:afterSwap', ({ detail }) => {
  if (!detail.target.matches('.c-t')) return;
  const done = detail.target.querySelector('[data-undo]');
  detail.target.closest('.cl-row').dataset.ticked = done ? '1' : '';
  // The button that was pressed went with its form: what came in its place has the focus now.
  if (document.activeElement === document.body) detail.target.querySelector('button')?.focus();
  say(done ? 'Reviewed. U takes it back.' : 'Not reviewed any more.');
});

function tell(state, text) {
  tray.dataset.s = state;
  if (words.textContent !== text) words.textContent = text;
}

/* Writes news into the lines that stand: a level where the old one was, "Changed" where room was kept for it. */
function put({ rows, counts }) {
  const lines = [...document.querySelectorAll('.cl-row')];
  const known = new Set(lines.map((line) => line.dataset.case));
  const changed = lines.filter((line) => rows[line.dataset.case]?.stamp !== line.dataset.stamp);
  changed.forEach((line) => {
    const now = rows[line.dataset.case];
    line.querySelector('[data-new]').hidden = false;
    if (now) line.querySelector('[data-level]').replaceChildren(
      new DOMParser().parseFromString(now.level, 'text/html').body.firstChild);
  });
  document.querySelectorAll('[data-view]').forEach((tab) => { tab.querySelector('.count').textContent = counts[tab.dataset.view]; });
  const all = document.querySelector('[data-view="all"]').getAttribute('aria-current') && !tray.elements.q;
  const waiting = Number(document.querySelector('[data-rest]')?.dataset.rest ?? 0); // lines that are still to come
  const unknown = Object.keys(rows).filter((id) => !known.has(id)).length;
  const came = all ? Math.max(0, unknown - waiting) : 0;
  return { changed, came, rows };
}

function announce({ changed, came, rows }) {
  if (!changed.length && !came) return;
  const worst = changed.find((line) => rows[line.dataset.case]?.urgent) ?? changed[0];
  const about = worst && `${worst.querySelector('.q-name').textContent}: ${rows[worst.dataset.case]?.why ?? 'no longer on your caseload.'}`;
  const more = changed.length - 1 + came;
  const text = [about, more > 0 && `${more} more ${more === 1 ? 'change' : 'changes'}.`].filter(Boolean).join(' ');
  show.hidden = false;
  news = text;
  tell('new', text);
  say(`${text} N shows it in the list.`);
}

/* The server says a mark once: one that comes while another is asked for, or whose answer fails, is asked for after. */
async function fetchBadges(mark) {
  wanted = mark;
  if (asking || mark === shown) return;
  asking = true;
  const failed = await take().catch((error) => error);
  asking = false;
  if (failed) setTimeout(() => fetchBadges(wanted), AGAIN);
  else if (wanted !== mark) fetchBadges(wanted);
}

async function take() {
  const answer = await fetch(tray.dataset.badges, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(15_000) });
  if (!answer.ok) throw new Error(String(answer.status));
  const found = await answer.json();
  shown = found.mark;
  announce(put(found));
}

connect({
  url: '/ws/live/',
  topics: { [tray.dataset.topic]: 0 },
  confirms: false,
  onMarks: ({ marks }) => fetchBadges(marks.people),
  onReload: async () => 0,
  onState: ({ live, lastAt }) => {
    const off = live ? '' : `Not live${lastAt ? ` since ${timeText(lastAt)}` : ''}.`;
    if (news) tell('new', `${news} ${off}`.trim());
    else if (live) tell('live', 'Live. What changes is held here; nothing moves by itself.');
    else tell('off', `${off} Reload to see what is new; ticking off still works.`);
  },
});
