/* The alert page: clocks tick, a change by somebody else is said without moving what is being read or typed, and
   critical alerts that wait, this one among them, are shown and heard here, too. */
import { acts } from '../cortex.js';
import { sync } from '../lib/clocks.js';
import { connect } from '../lib/live.js';
import { say } from '../lib/say.js';
import { draw, isCovered, take } from './alert_waiting.js';
import { hint, mute } from './board_sound.js';
import { pill } from './pill.js';

const { alert, liveUrl, me, topic, topics } = document.body.dataset;
const note = document.getElementById('changed');
const shown = document.querySelector('.case').dataset;
const joined = JSON.parse(topics);
let own = joined[topic]; // up to which number this page shows its own alert

function sentence(row) {
  const { owner, ownerName, level } = row.dataset;
  if (level !== shown.level) return `It is ${level} now.`;
  if (owner && owner !== shown.owner) return owner === me ? 'It is yours now.' : `${ownerName} has it now.`;
  if (!owner && shown.owner) return 'It has no owner now.';
  return 'There is a new entry.';
}

function changed(row) {
  note.querySelector('[data-changed]').textContent = sentence(row);
  note.hidden = false;
  say(`This alert has changed. ${sentence(row)}`, row.dataset.level !== shown.level);
}

function onEvent(event) {
  const row = new DOMParser().parseFromString(event.html, 'text/html').querySelector('li');
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
draw();
document.getElementById('cover')?.addEventListener('close', () => live && confirm());
const live = Object.keys(joined).length && connect({
  url: liveUrl,
  topics: joined,
  confirms: false,
  onEvent,
  onReload: () => location.reload(),
  onState: (state) => { pill(state); if (state.live) confirm(); },
  onTick: (iso) => { sync(iso); pill(live); hint(); },
});
