/* Entry of every page: what the frame's buttons do, single keys, dialogs and the idle cover. */
import './lib/clocks.js';
import { dialogs } from './lib/dialogs.js';
import { keys } from './lib/keys.js';
import { post } from './lib/post.js';
import { say } from './lib/say.js';
import { gone } from './session/gone.js';
import { sending } from './session/htmx.js';
import { idle } from './session/idle.js';

const root = document.documentElement;

/* What [data-act] buttons do; a page adds its own before or after this module has run. */
export const acts = {
  help: () => document.getElementById('help')?.showModal(),
};

/* Which single keys do something without a visible control that carries them. */
export const keyActs = { '?': () => acts.help() };

document.addEventListener('click', (e) => {
  const button = e.target.closest('[data-act]');
  if (button && acts[button.dataset.act]) acts[button.dataset.act](button, e);
});

/* The theme is kept with the account, so that the server renders it next time. */
document.addEventListener('submit', (e) => {
  const form = e.target.closest('[data-theme-form]');
  if (!form) return;
  e.preventDefault();
  const button = form.querySelector('button');
  const isDark = button.value === 'dark';
  root.dataset.theme = button.value;
  post(form.action, { theme: button.value }).catch(() => say('The theme was not saved.'));
  button.value = isDark ? 'light' : 'dark';
  button.setAttribute('aria-label', isDark ? 'Switch to light theme' : 'Switch to dark theme');
  say(isDark ? 'Dark theme' : 'Light theme');
});

/* Privacy is kept with the session: the next page arrives blurred. */
document.addEventListener('submit', (e) => {
  const form = e.target.closest('[data-privacy-form]');
  if (!form) return;
  e.preventDefault();
  const button = form.querySelector('button');
  const on = button.value === '1';
  document.body.classList.toggle('privacy', on);
  button.setAttribute('aria-pressed', on);
  button.value = on ? '0' : '1';
  const fail = () => say('Privacy mode holds for this page only: the server did not answer.', true);
  post(form.action, { on: on ? '1' : '0' }).then((answer) => answer.ok || fail(), fail);
  say(on ? 'Privacy mode is on.' : 'Privacy mode is off.');
});

/* Styles know that there are scripts. */
root.classList.add('js');

/* Where a row of tabs is wider than the screen, the one that is open stands in sight. */
document.querySelectorAll('.tabs [aria-current]').forEach((tab) => {
  tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - (tab.parentElement.clientWidth - tab.clientWidth) / 2;
});

/* What a command left to say is read out too: a page that loads with it announces nothing by itself. */
const done = document.querySelector('#main .note[role=status]:not([hidden], [popover])');
if (done) setTimeout(() => say(done.textContent.trim()), 500);

dialogs();
keys(keyActs);
gone();
sending();
idle();
