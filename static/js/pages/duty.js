/* The duty page: the sound test, which also lets the browser play later. */
import { acts } from '../cortex.js';
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

acts['test-sound'] = async () => {
  const played = await alarm.test();
  document.getElementById('snd-h').textContent = played
    ? 'Played. If you heard nothing, check the volume and the output device, then play it again.'
    : 'This browser could not play the tone. Check that sound is allowed for this page.';
  say(played ? 'The tone was played.' : 'The tone could not be played.', !played);
};
