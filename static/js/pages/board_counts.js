/* The counts of tiles, rail and list headers: of every open alert, whatever a filter hides. */
import { now } from '../lib/clocks.js';
import { known, lists, me, phaseOf, waits, write } from './board_queue.js';

const $$ = (css, root = document) => [...root.querySelectorAll(css)];

/* Writes figures by name, in the tiles and in the rail. */
export function put(figures) {
  Object.entries(figures).forEach(([key, value]) => {
    write(`[data-tile="${key}"] [data-n], [data-count="${key}"] [data-n]`, value);
    $$(`[data-count="${key}"]`).forEach((badge) => { badge.hidden = !value; });
  });
}

/* Writes the counts of the tiles, the rail and the list headers; returns how many wait. */
export function count() {
  const all = [...known.values()];
  const of = (phase) => all.filter((a) => phaseOf(a.state) === phase).length;
  const waiting = of('waiting');
  put({ waiting, progress: of('progress'), mine: all.filter((a) => a.owner === me).length });
  const shown = $$('.q', lists.waiting).filter(waits);
  write('#q-count', shown.length === waiting ? waiting : `${shown.length} of ${waiting}`);
  write('#p-count', $$('.q', lists.progress).length);
  const late = all.filter((a) => phaseOf(a.state) === 'waiting' && Date.parse(a.claim_due) < now()).length;
  write('[data-tile="waiting"] .d', late ? `${late} past target` : '\u00a0');
  $$('[data-tile="waiting"]').forEach((tile) => tile.classList.toggle('tile-alarm', late > 0));
  return waiting;
}
