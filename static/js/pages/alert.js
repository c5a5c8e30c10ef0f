/* The alert page: clocks tick, and a change by somebody else is said without moving what is being read or typed. */
import '../cortex.js';
import { sync } from '../lib/clocks.js';
import { connect } from '../lib/live.js';
import { pill } from '../lib/pill.js';
import { say } from '../lib/say.js';

const { alert, liveUrl, me, topics } = document.body.dataset;
const note = document.getElementById('changed');
const shown = document.querySelector('.case').dataset;

function sentence(row) {
  const { owner, ownerName, level } = row.dataset;
  if (level !== shown.level) return `It is ${level} now.`;
  if (owner && owner !== shown.owner) return owner === me ? 'It is yours now.' : `${ownerName} has it now.`;
  if (!owner && shown.owner) return 'It has no owner now.';
  return 'There is a new entry.';
}

function onEvent(event) {
  if (event.alert !== alert) return;
  const row = new DOMParser().parseFromString(event.html, 'text/html').querySelector('li');
  note.querySelector('[data-changed]').textContent = sentence(row);
  note.hidden = false;
  say(`This alert has changed. ${sentence(row)}`, row.dataset.level !== shown.level);
}

const live = connect({
  url: liveUrl,
  topics: JSON.parse(topics),
  onEvent,
  onReload: () => location.reload(),
  onState: pill,
  onTick: (iso) => { sync(iso); pill(live); },
});
