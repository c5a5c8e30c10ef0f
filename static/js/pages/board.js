/* The board: news waits in the tray, rows change in place, nothing moves under the pointer. */
import { acts, keyActs } from '../cortex.js';
import { scan, sync } from '../lib/clocks.js';
import { connect } from '../lib/live.js';
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';
import { beside } from './board_beside.js';
import { answered, claimNew, claimPreview, claimRow, claimSelected, refuse } from './board_claim.js';
import { count } from './board_counts.js';
import { escalate } from './board_keys.js';
import * as preview from './board_preview.js';
import * as queue from './board_queue.js';
import { shift } from './board_shift.js';
import { hint, mute } from './board_sound.js';
import { draw, online } from './board_tray.js';
import { pill } from './pill.js';

const $ = (css, root = document) => root.querySelector(css);
const $$ = (css, root = document) => [...root.querySelectorAll(css)];
const data = document.body.dataset;
const meanwhile = new Set(); // lists of what comes while the board is asked for anew

/* What the panel shows has changed: it comes anew, but not from under somebody's hands. */
function changed(row) {
  const panel = $('#preview');
  if (!panel.contains(document.activeElement)) preview.reload();
  else if (!queue.waits(row)) refuse(panel, row.dataset.owner ? `Claimed by ${row.dataset.ownerName}.` : 'This alert has ended.');
}

function onEvent(event) {
  meanwhile.forEach((came) => came.push(event));
  const change = queue.take(event.html);
  if (!change) return;
  shift(change);
  const { row, before, isNew } = change;
  const { who, what, level, owner, ownerName, id } = row.dataset;
  const critical = level === 'critical';
  if (isNew) say(`${before ? 'Waiting again' : 'New'}, ${level}: ${who}, ${what}.`, critical);
  else if (owner && owner !== before?.owner && owner !== data.me) say(`${who} was claimed by ${ownerName}.`);
  if (owner) answered(id, owner);
  if (isNew && critical) alarm.now();
  if (preview.shows(id)) changed(row);
  scan(row);
  draw();
}

function move(step) {
  const rows = $$('#lists .q');
  const at = rows.findIndex((row) => row.classList.contains('sel'));
  if (rows.length) preview.select(rows[Math.max(0, Math.min(rows.length - 1, at + step))]);
}

function show() {
  const rows = queue.showHeld();
  draw();
  if (!rows.length) return say('Nothing new.');
  preview.select($('#queue .q-new') || rows[0]);
  return say(`${rows.length} added. The list now has ${$$('#queue .q').length}.`);
}

/* Too far behind: takes the whole board in again, as changes, so that nothing on screen jumps. What another feed told
   after it was written is told once more. */
async function reload(topic) {
  const came = [];
  meanwhile.add(came);
  try {
    const answer = await fetch(location.href, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(15_000) });
    if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status)); // asked again in a moment
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const lists = page.getElementById('lists');
    if (!lists) return location.reload(); // signed out, or not ours any more
    const numbers = JSON.parse(lists.dataset.topics);
    const later = came.filter((event) => event.n > (numbers[event.topic] ?? 0));
    meanwhile.delete(came);
    $$('.q', lists).forEach((row) => onEvent({ html: row.outerHTML }));
    queue.settle(lists.dataset.open);
    later.forEach(onEvent);
    draw();
    return numbers[topic];
  } finally {
    meanwhile.delete(came);
  }
}

Object.assign(acts, { mute, claim: claimRow, 'claim-new': claimNew, 'show-new': show, 'close-preview': preview.close });
Object.assign(keyActs, { c: claimSelected, j: () => move(1), k: () => move(-1), n: show, e: () => escalate(preview.select), Escape: preview.close });

document.addEventListener('click', (e) => {
  const row = e.target.closest('#lists .q');
  if (!row || !e.detail || e.target.closest('button') || e.ctrlKey || e.metaKey) return;
  e.preventDefault(); // a pointer selects; Enter on the name opens the page
  preview.select(row, { open: true });
});
document.addEventListener('submit', (e) => {
  if (!e.target.matches('[data-claim]')) return;
  e.preventDefault();
  claimPreview(e.target);
});
document.addEventListener('clock', (e) => {
  const row = e.target.closest('#queue .q');
  count();
  if (row && e.detail === 'over' && queue.waits(row)) say(`${row.dataset.who} is past the claim target.`);
});

$$('#lists .q').forEach(queue.decorate);
const first = queue.rowOf($('#preview').dataset.id) || (preview.beside() && $('#queue .q'));
if (first) preview.select(first, { focus: false });
draw();
const live = connect({
  url: data.liveUrl,
  topics: JSON.parse(data.topics),
  onEvent,
  onReload: reload,
  onGone: () => location.reload(),
  onMarks: beside,
  onState: (state) => { pill(state); online(state); if (state.live) preview.recover(); },
  onTick: (iso) => { sync(iso); pill(live); hint(); count(); },
});
acts.retry = live.retry;
