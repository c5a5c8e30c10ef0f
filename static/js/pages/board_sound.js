/* The sound button of a live page: a mute of five minutes that is logged and that every tab keeps, taken back by the
   same key; and a hint while the browser keeps silent. */
import { post } from '../lib/post.js';
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

const MUTE = 300; // seconds
const button = document.querySelector('[data-act=mute]');
const shown = document.querySelector('[data-muted-until]');
const { muted, muteUrl, sound, zone } = document.body.dataset;
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('cortex-mute') : null;
let back;

/* Mutes for so many seconds, or takes the mute back with 0, and shows until when. */
function silence(seconds) {
  const end = new Date(Date.now() + seconds * 1_000).toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  alarm.mute(seconds);
  clearTimeout(back);
  button?.setAttribute('aria-pressed', seconds > 0);
  if (shown) {
    shown.hidden = !seconds;
    shown.querySelector('time').textContent = end;
  }
  if (seconds) back = setTimeout(() => { silence(0); say('The sound is back.'); }, seconds * 1_000);
}

if (sound === 'off') alarm.mute(Infinity);
else if (muted > 0) silence(Number(muted)); // on the page before this one
tabs?.addEventListener('message', ({ data }) => sound === 'off' || silence(data));

export async function mute() {
  if (sound === 'off') return say('Sound is off in your account.');
  const seconds = alarm.muted ? 0 : MUTE;
  const answer = await post(muteUrl, { seconds }).catch(() => null);
  if (answer?.status === 409) return say('Only somebody who hears alerts can mute them.', true);
  if (!answer?.ok) return say(`Not ${seconds ? 'muted' : 'changed'}: the server did not answer.`, true);
  silence(seconds);
  tabs?.postMessage(seconds);
  return say(seconds ? 'Sound is muted for 5 minutes. It comes back by itself.' : 'The sound is on again.');
}

/* Says that this page makes no sound: not before the first click or key, or not at all. */
export const hint = () => document.body.classList.toggle('silent', sound === 'off' || !alarm.ready);

addEventListener('sound', hint);
hint();
