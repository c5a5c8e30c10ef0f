/* Idling: pages of the desk are covered (sound, title and counts go on), others are warned and then signed out. */
import { post } from '../lib/post.js';
import { over } from './again.js';

const MINUTE = 60000;
const [cover, warning, gone] = ['cover', 'idle-warning', 'gone'].map((id) => document.getElementById(id));
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('cortex-idle') : null;
let [last, noted, asked, covered] = [Date.now(), Date.now(), Date.now(), false];

function show() {
  if (gone.open) return;
  warning.close();
  document.body.classList.add('is-covered');
  if (!cover.open) cover.showModal();
}
function hide() {
  document.body.classList.remove('is-covered');
  cover.close();
  last = noted = Date.now();
}

/* Real input only; the server hears of it at most once a minute. */
function input() {
  if (cover.open || warning.open || gone.open) return;
  last = Date.now();
  if (last - noted < MINUTE) return;
  noted = last;
  tabs?.postMessage('input');
  post(cover.dataset.activeUrl).then((answer) => answer.status === 423 && show(), () => { noted = 0; });
}
const follow = (answer) => { if (answer.status < 300 && answer.headers.has('HX-Redirect')) over(); };
async function unlock(e) {
  e.preventDefault();
  const { pin } = e.target.elements;
  const answer = await post(e.target.action, { pin: pin.value }).catch(() => null);
  pin.value = '';
  if (answer?.headers.has('HX-Redirect')) { follow(answer); return; }
  if (answer?.status === 204) { tabs?.postMessage('uncover'); hide(); return; }
  document.getElementById('cover-say').textContent =
    answer?.status === 422 ? 'That PIN is not right.' : 'The server did not answer. Try again.';
  pin.focus();
}
/* A page of the desk is covered at once; any other ends the session, unless such a page in another tab covers it. */
function end() {
  const board = cover.dataset.covers;
  const tell = () => post(cover.dataset.coverUrl, { board }).then(follow, () => {});
  covered = Boolean(board);
  if (board) { tabs?.postMessage('cover'); tell(); } else setTimeout(() => covered || tell(), 3000);
}
function tick() {
  if (gone.open) return;
  if (cover.open) { cover.querySelector('[data-cover-count]').textContent = document.title; return; }
  const left = cover.dataset.idle * 1000 - (Date.now() - last);
  if (left <= 0) { show(); end(); return; }
  if (left > 2 * MINUTE || cover.dataset.covers) return;
  warning.querySelector('[data-idle-words]').textContent = left > MINUTE
    ? 'Without input you are signed out in 2 minutes.' : 'Without input you are signed out in less than a minute.';
  if (!warning.open) warning.showModal();
}

export function idle() {
  if (!cover) return;
  ['pointerdown', 'keydown', 'wheel'].forEach((kind) =>
    document.addEventListener(kind, input, { passive: true, capture: true }));
  cover.addEventListener('cancel', (e) => e.preventDefault());
  cover.querySelector('[data-unlock]').addEventListener('submit', unlock);
  warning.addEventListener('close', () => { if (!cover.open && !gone.open) { noted = 0; input(); } });
  document.addEventListener('session-covered', show);
  document.addEventListener('session-back', () => { hide(); tabs?.postMessage('input'); });
  const heard = { cover: () => { covered = true; show(); }, uncover: hide, input: () => { last = noted = Date.now(); if (warning.open) warning.close(); } };
  tabs?.addEventListener('message', (e) => heard[e.data]?.());
  setInterval(tick, 1000);
}
