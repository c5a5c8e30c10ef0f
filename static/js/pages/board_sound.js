/* The board's sound button: a mute of five minutes that is logged, and a hint while the browser keeps silent. */
import { post } from '../lib/post.js';
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

const MUTE = 300; // seconds
const button = document.querySelector('[data-act=mute]');

export async function mute() {
  const answer = await post(document.body.dataset.muteUrl).catch(() => null);
  if (!answer?.ok) return say('Not muted: the server did not answer.', true);
  alarm.mute(MUTE);
  button.setAttribute('aria-pressed', 'true');
  setTimeout(() => { button.setAttribute('aria-pressed', 'false'); say('The sound is back.'); }, MUTE * 1_000);
  return say('Sound is muted for 5 minutes. It comes back by itself.');
}

/* Says that browsers stay silent until the first click or key. */
export const hint = () => document.body.classList.toggle('silent', !alarm.ready);

['click', 'keyup'].forEach((name) => addEventListener(name, () => setTimeout(hint, 200)));
hint();
