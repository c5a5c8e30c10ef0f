/* The alert page: clocks tick, a change by somebody else is said without moving what is being read or typed, and
   critical alerts that wait, this one among them, are shown and heard here, too. */
import { acts } from '../cortex.js';
import { sync } from '../lib/clocks.js';
import { connect } from '../lib/live.js';
import { say } from '../lib/say.js';
import { latest } from './alert_latest.js';
import { draw, forget, isCovered, settle, take } from './alert_waiting.js';
import { hint, mute } from './board_sound.js';
import { pill } from './pill.js';

const { alert, liveUrl, me, topic, topics, watchUrl } = document.body.dataset;
const joined = JSON.parse(topics);
let own = joined[topic]; // up to which number this page shows its own alert
let held; // what comes while the page, or what waits, is asked for anew
let unshown = ''; // what is said beside every note until the server has shown what somebody asked for

function sentence(row) {
  const { owner, ownerName, level } = row.dataset;
  const shown = document.querySelector('.case').dataset;
  if (level !== shown.level) return `It is ${level} now.`;
  if (owner && owner !== shown.owner) return owner === me ? 'It is yours now.' : `${ownerName} has it now.`;
  if (!owner && shown.owner) return 'It has no owner now.';
  return 'There is a new entry.';
}

function note(head, words, isUrgent) {
  const place = document.getElementById('changed');
  const said = [words, unshown].filter(Boolean).join(' ');
  place.querySelector('[data-changed-head]').textContent = head;
  place.querySelector('[data-changed]').textContent = said;
  place.hidden = false;
  say(`${head} ${said}`, isUrgent);
}

function changed(row) {
  const isUrgent = row.dataset.level !== document.querySelector('.case').dataset.level;
  note('This alert has changed.', sentence(row), isUrgent);
}

/* Too far behind: asks anew what waits. The page itself stays as it is until somebody asks for the latest: loading
   it would take what is being read and typed. Of its own alert it confirms nothing that it doesn't show. */
async function behind(name) {
  held = [];
  const answer = await fetch(watchUrl, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(15_000) });
  const { numbers } = settled(await answer.json());
  if (name === topic) note('This page fell behind.', 'What happened meanwhile is not on it.', true);
  draw();
  return numbers[name];
}

/* Takes in what waits, and what came after that was written; returns the numbers then, and what came. */
function settled(given) {
  const numbers = settle(given);
  const later = (held ?? []).filter(([, event]) => event.n > (numbers[event.topic] ?? 0));
  held = undefined;
  later.forEach(([row, event]) => take(row.dataset, event));
  return { numbers, later };
}

async function show(link) {
  link.setAttribute('aria-disabled', 'true');
  held = [];
  try {
    await latest();
  } catch {
    held = undefined;
    link.removeAttribute('aria-disabled');
    unshown = 'The server did not show the alert. What you wrote is kept. Try again.';
    return note('Not loaded.', '', true);
  }
  unshown = '';
  const { numbers, later } = settled();
  own = numbers[topic];
  say('This is the alert as it is now.');
  const since = later.findLast(([, event]) => event.alert === alert);
  return since ? onEvent(since[1]) : confirm();
}

function onEvent(event) {
  const row = new DOMParser().parseFromString(event.html, 'text/html').querySelector('li');
  held?.push([row, event]);
  take(row.dataset, event);
  if (event.alert === alert) { changed(row); own = event.n; }
  confirm();
}

/* This page shows one alert and a bar: it answers for those alone, the rest of the feed waits for a board. Under the
   cover it shows neither. */
function confirm() {
  draw().forEach((one) => live.shown(one.topic, one.n, one.id));
  if (own !== undefined && !isCovered()) live.shown(topic, own, alert);
}

Object.assign(acts, { mute });
document.addEventListener('click', (e) => {
  const link = e.target.closest('#changed a');
  if (!link || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  if (!link.hasAttribute('aria-disabled')) show(link);
});
draw();
document.getElementById('cover')?.addEventListener('close', () => live && confirm());
const live = Object.keys(joined).length && connect({
  url: liveUrl,
  topics: joined,
  confirms: false,
  onEvent,
  onReload: behind,
  onGone: (name) => { forget(name); confirm(); },
  onState: (state) => { pill(state); if (state.live) confirm(); },
  onTick: (iso) => { sync(iso); pill(live); hint(); },
});
