/* Idling: pages of the desk are covered (sound, title and counts go on), others are warned and then signed out. */
import { post } from '../lib/post.js';
import { over } from './again.js';

const MINUTE = 60000;
const [cover, warning, gone] = ['cover', 'idle-warning', 'gone'].map((id) => document.getElementById(id));
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('cortex-idle') : null;
/* When somebody did something here, what of it the server has noted (never later than it did), and when it was told. */
const age = Number(cover?.dataset.noted ?? 0) * 1000;
let [last, noted, told, covered] = [0, Date.now() - age, Date.now(), false];

function show() {
  if (gone.open) return;
  warning.close();
  document.body.classList.add('is-covered');
  if (!cover.open) cover.showModal();
}
function hide() {
  document.body.classList.remove('is-covered');
  cover.close();
  last = 0;
  noted = told = Date.now();
}

/* Real input only; the server hears of it at most once a minute, and of the last one too. */
function input() {
  if (!cover.open && !warning.open && !gone.open) last = Date.now();
}
async function tell() {
  const at = told = Date.now();
  const answer = await post(cover.dataset.activeUrl).catch(() => null);
  if (answer?.ok) { noted = Math.max(noted, at); tabs?.postMessage(noted); return; }
  if (answer?.status === 423) show();
  told = Date.now() - MINUTE + 10_000; // again in ten seconds
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
  const say = () => post(cover.dataset.coverUrl, { board }).then(follow, () => {});
  covered = Boolean(board);
  if (board) { tabs?.postMessage('cover'); say(); } else setTimeout(() => covered || say(), 3000);
}
function tick() {
  if (gone.open) return;
  if (cover.open) { cover.querySelector('[data-cover-count]').textContent = document.title; return; }
  const now = Date.now();
  if (last > noted && now - last < 2 * MINUTE && now - told >= MINUTE) tell();
  const left = cover.dataset.idle * 1000 - (now - noted);
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
  warning.addEventListener('close', () => { if (!cover.open && !gone.open && Date.now() - noted > MINUTE) tell(); });
  document.addEventListener('session-covered', show);
  document.addEventListener('session-back', () => { hide(); tabs?.postMessage(noted); });
  const heard = { cover: () => { covered = true; show(); }, uncover: hide };
  tabs?.addEventListener('message', ({ data }) => {
    if (typeof data !== 'number') { heard[data](); return; }
    noted = Math.max(noted, data); // by another page
    warning.close();
  });
  tabs?.postMessage(noted);
  setInterval(tick, 1000);
}
