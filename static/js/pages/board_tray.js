/* The tray above the lists: the only place where news arrives, and where a lost connection is said. */
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';
import { count } from './board_counts.js';
import { needsAlarm, news } from './board_queue.js';
import { timeText } from './pill.js';

const $ = (css, root = document) => root.querySelector(css);
const tray = document.getElementById('tray');
const title = document.title;
let mode = 'load'; // load, live or off
let said = false;

function drawNews(rows) {
  const [top] = rows;
  $('[data-tray-count]').textContent = `${rows.length} new ${rows.length > 1 ? 'alerts' : 'alert'}`;
  $('[data-tray-glyph]').replaceChildren($('.risk', top).cloneNode(true));
  $('[data-tray-who]').textContent = top.dataset.who;
  $('[data-tray-what]').textContent = top.dataset.what;
  $('[data-tray-rest]').textContent = rows.length > 1 ? `and ${rows.length - 1} more` : '';
  $('[data-tray-show]').textContent = `Show ${rows.length} new`;
  $('[data-act=claim-new]').hidden = top.dataset.r !== '4';
}

/* Draws counts, tray and title from what the queue knows. */
export function draw() {
  const rows = news();
  const waiting = count();
  tray.dataset.s = mode === 'live' ? (rows.length ? 'new' : 'calm') : mode;
  tray.querySelectorAll('.tray-s').forEach((part) => { part.hidden = part.dataset.for !== tray.dataset.s; });
  document.title = rows.length ? `(${rows.length} new) ${title}` : waiting ? `(${waiting}) ${title}` : title;
  alarm.need(needsAlarm());
  if (rows.length) drawNews(rows);
}

/* Takes in what the connection says; without contact the tray says since when, after 30 s in red. */
export function online({ state, live, lastAt, tries }) {
  if (live && mode === 'off') $('[data-tray-since]').textContent = timeText(Date.now()).slice(0, 5);
  mode = live ? 'live' : lastAt || state === 'stale' ? 'off' : 'load';
  tray.classList.toggle('tray-red', state === 'stale');
  $('[data-tray-phone]').hidden = state !== 'stale';
  if (lastAt) $('[data-tray-last]').textContent = timeText(lastAt);
  $('[data-tray-tries]').textContent = tries;
  if (tray.dataset.s === 'off' && mode === 'live') say('The live connection is back.');
  draw();
  if (mode === 'off' && !said) say('Live connection lost. New alerts will not show. Claiming still works.', true);
  said = mode === 'off';
}
