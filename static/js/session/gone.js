/* A session that ended while something is typed here: the page stays, hidden, until the same person is signed in
   again. Nothing is sent by itself then. */
import { say } from '../lib/say.js';
import { over, renew } from './again.js';

const dialog = document.getElementById('gone');
let [watch, asks] = [0, false];

function isChanged(field) {
  if (!('defaultValue' in field || field.options) || /^(hidden|password)$/.test(field.type)) return false;
  if (/^(checkbox|radio)$/.test(field.type)) return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const options = [...field.options];
  if (field.multiple) return options.some((one) => one.selected !== one.defaultSelected);
  return field.selectedIndex !== Math.max(options.findIndex((one) => one.defaultSelected), 0);
}

/* A text that is kept as it is written knows by itself what of it is not kept. */
const isTyped = (form, which = '*') => form.matches('[method=post]') && !form.elements.spell
  && [...form.elements].some((field) => field.matches(which) && isChanged(field));

/* Hides the page behind the dialog, which asks every three seconds. */
export function stay() {
  document.body.classList.remove('is-covered');
  for (const id of ['cover', 'idle-warning']) document.getElementById(id).close(); // the focus is the page's again
  if (!dialog.open) dialog.showModal();
  document.body.classList.add('cut-off');
  watch ||= setInterval(tryAgain, 3000);
}

async function tryAgain() {
  const isBack = await renew() === 'ours';
  if (!isBack || !dialog.open) return isBack;
  clearInterval(watch);
  watch = 0;
  document.body.classList.remove('cut-off');
  dialog.close(); // the focus goes back to where it was
  document.dispatchEvent(new Event('session-back'));
  say('You are signed in again. What you typed is still here.');
  return true;
}

/* Somebody comes back to this page: meanwhile they may have signed in again elsewhere, or out. */
async function look() {
  if (dialog.open) await tryAgain();
  else if (await renew() === 'gone') over();
}

/* Words that the browser itself would send, and lose at the sign-in or for the token of the session before. */
async function send(e) {
  const { target: form, submitter } = e;
  if (e.defaultPrevented || !isTyped(form, 'textarea, [type=text]')) return;
  e.preventDefault();
  if (asks) return;
  asks = true;
  const found = await renew();
  removeEventListener('submit', send);
  if (found === 'gone') over();
  else if (found === 'covered') document.dispatchEvent(new Event('session-covered'));
  else form.requestSubmit(submitter);
  addEventListener('submit', send);
  asks = false;
}

export function gone() {
  if (!dialog) return;
  dialog.addEventListener('cancel', (e) => e.preventDefault());
  document.getElementById('gone-try').addEventListener('click', async () => {
    const place = document.getElementById('gone-say');
    place.textContent = await tryAgain() ? '' : 'You are not signed in yet, or as somebody else.';
  });
  document.addEventListener('session-over', (e) => {
    if (e.defaultPrevented || !(dialog.open || [...document.forms].some((form) => isTyped(form)))) return;
    e.preventDefault();
    stay();
  });
  addEventListener('focus', look);
  addEventListener('submit', send); // after every other listener
}
