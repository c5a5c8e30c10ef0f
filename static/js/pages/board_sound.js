/* The board's sound button: a mute of five minutes that is logged, and a hint while the browser keeps silent. */
import { post } from '../lib/post.js';
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

const MUTE = 300; // seconds
const button = document.querySelector('[data-act=mute]');
const { muted, muteUrl, sound } = document.body.dataset;

function silence(seconds) {
  alarm.mute(seconds);
  button?.setAttribute('aria-pressed', 'true');
  setTimeout(() => { button?.setAttribute('aria-pressed', 'false'); say('The sound is back.'); }, seconds * 1_000);
}

if (sound === 'off') alarm.mute(Infinity);
else if (muted > 0) silence(muted); // on the page before this one

export async function mute() {
  if (sound === 'off') return say('Sound is off in your account.');
  const answer = await post(muteUrl).catch(() => null);
  if (!answer?.ok) return say('Not muted: the server did not answer.', true);
  silence(MUTE);
  return say('Sound is muted for 5 minutes. It comes back by itself.');
}

/* Says that this page makes no sound: not before the first click or key, or not at all. */
export const hint = () => document.body.classList.toggle('silent', sound === 'off' || !alarm.ready);

['click', 'keyup'].forEach((name) => addEventListener(name, () => setTimeout(hint, 200)));
hint();
