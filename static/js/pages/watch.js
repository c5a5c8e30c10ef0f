/* Pages beside the board: a critical alert is counted, shown in a bar and heard, also under the cover. Nobody is named
   here, and nothing is confirmed. */
import { acts } from '../cortex.js';
import { sync } from '../lib/clocks.js';
import { connect } from '../lib/live.js';
import { draw, forget, settle, take } from './alert_waiting.js';
import { hint, mute } from './board_sound.js';
import { pill } from './pill.js';

function onEvent(event) {
  const row = new DOMParser().parseFromString(event.html, 'text/html').querySelector('li');
  take(row.dataset, event);
  draw();
}

/* Too far behind: asks anew what waits, which is answered under the cover, too. A reload would take what is being
   typed, and this page itself does not answer there. */
async function reload(topic) {
  const answer = await fetch(document.body.dataset.watchUrl, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(15_000) });
  const numbers = settle(await answer.json());
  draw();
  return numbers[topic];
}

Object.assign(acts, { mute });
draw();
const live = connect({
  url: document.body.dataset.liveUrl,
  topics: settle(),
  confirms: false,
  onEvent,
  onReload: reload,
  onGone: forget,
  onState: pill,
  onTick: (iso) => { sync(iso); pill(live); hint(); },
});
