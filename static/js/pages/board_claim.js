/* Claiming from the board: the server decides races, and its answer is said where the button was. */
import { scan } from '../lib/clocks.js';
import { post } from '../lib/post.js';
import { say } from '../lib/say.js';
import { known, me, news, rowOf } from './board_queue.js';

const $ = (css, root = document) => root.querySelector(css);

/* Says in words, at the place of the button, why it can't be claimed; `over` when trying again is no use. */
export function refuse(place, sentence, over = true) {
  const note = $('[data-conflict]', place) || $('[data-tray-rest]', place) || document.createElement('span');
  note.dataset.conflict = ''; // the next refusal takes its place
  note.textContent = sentence;
  note.hidden = false;
  if (!note.isConnected && over) $('.q-act', place).replaceChildren(note);
  else if (!note.isConnected) $('.q-act', place).append(note);
  if (over) place.querySelectorAll('[data-claim] button').forEach((button) => { button.disabled = true; });
  say(sentence, true);
}

/* Until the server's own version of the row arrives: a way in, where the button was. */
function mine(row) {
  const link = document.createElement('a');
  Object.assign(link, { className: 'btn', href: $('.q-name', row).href, textContent: 'Open' });
  $('.q-act', row).replaceChildren(link);
  link.focus();
  say('Claimed by you.');
}

/* Who has the alert of a claim, as the row or else the server says; without an `owner` neither does. */
async function holder(url) {
  const id = [...known.keys()].find((one) => url.includes(one));
  const { owner } = known.get(id) ?? {};
  if (owner) return { id, owner, ownerName: rowOf(id)?.dataset.ownerName };
  const asked = await fetch(new URL('../panel/', url), { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(5_000) }).catch(() => null);
  const panel = asked?.ok && new DOMParser().parseFromString(await asked.text(), 'text/html').getElementById('preview');
  return panel ? { id, ...panel.dataset } : { id };
}

/* A claim without an answer may have been made all the same: what is so is asked first, and then said over the page,
   with the desk's number, until it is closed or the row says who has it. */
async function failed(url, place, goTo, answer) {
  if (answer?.status === 423) return document.dispatchEvent(new Event('session-covered'));
  const { id, owner, ownerName } = await holder(url);
  if (owner) return owner === me ? won(place, goTo) : lost(place, `Claimed by ${ownerName}.`);
  const silent = navigator.onLine ? 'The server did not answer.' : 'This device is offline.';
  const bar = $('#not-claimed');
  $('[data-why]', bar).textContent = answer ? 'The server could not do it.' : silent;
  $('[data-so]', bar).textContent = owner === '' ? 'Nobody has it' : "We don't know whether it was claimed";
  bar.dataset.alert = id;
  bar.togglePopover(true);
  return refuse(place(), owner === '' ? 'Not claimed. Try again.' : 'No answer. Look at the row.', false);
}

function won(place, goTo) {
  $('#not-claimed').togglePopover(false);
  return goTo ? location.assign(goTo) : mine(place());
}

function lost(place, sentence) {
  $('#not-claimed').togglePopover(false);
  return refuse(place(), sentence);
}

/* The alert has an owner now: whether a claim got through is known. */
export function answered(id, owner) {
  const bar = $('#not-claimed');
  if (bar.dataset.alert !== id || !bar.matches(':popover-open')) return;
  bar.togglePopover(false);
  if (owner === me) say('Claimed by you.');
}

/* Posts a claim; `place` finds the element that shows the answer, since the row may be replaced meanwhile. */
async function claim(url, place, goTo = '') {
  const answer = await post(url).catch(() => null);
  if (answer?.ok) return won(place, goTo);
  if (answer?.status !== 409) return failed(url, place, goTo, answer);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  scan(page);
  return lost(place, $('[data-conflict-line]', page)?.textContent.trim() || 'Somebody else has it.');
}

export function claimPreview(form) {
  claim(form.action, () => $('#preview'), form.dataset.open);
}

/* The key claims what is selected in the list; the preview beside it may still be of the row before. */
export function claimSelected() {
  const row = $('#lists .q.sel');
  const button = row && $('[data-act=claim]', row);
  if (button) claim(button.formAction, () => rowOf(row.dataset.id), $('.q-name', row).href);
  else say(row ? 'This alert is not waiting for a claim.' : 'Select an alert first.');
}

export function claimNew(button, e) {
  e.preventDefault();
  const [top] = news();
  if (top) claim($('[data-act=claim]', top).formAction, () => $('#tray'), $('.q-name', top).href);
}

export function claimRow(button, e) {
  e.preventDefault(); // without JavaScript the button posts #claim-form
  const { id } = button.closest('.q').dataset;
  claim(button.formAction, () => rowOf(id));
}
