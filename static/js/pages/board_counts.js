/* The counts of tiles, rail and list headers: of every open alert, whatever a filter hides. */
import { now } from '../lib/clocks.js';
import { known, lists, me, phaseOf, waits, write } from './board_queue.js';

const $$ = (css, root = document) => [...root.querySelectorAll(css)];

/* Writes the counts of the tiles, the rail and the list headers; returns how many wait. */
export function count() {
  const all = [...known.values()];
  const of = (phase) => all.filter((a) => phaseOf(a.state) === phase).length;
  const n = { waiting: of('waiting'), progress: of('progress'), mine: all.filter((a) => a.owner === me).length };
  Object.entries(n).forEach(([key, value]) => {
    write(`[data-tile="${key}"] [data-n], [data-count="${key}"] [data-n]`, value);
    $$(`[data-count="${key}"]`).forEach((badge) => { badge.hidden = !value; });
  });
  const shown = $$('.q', lists.waiting).filter(waits);
  write('#q-count', shown.length === n.waiting ? n.waiting : `${shown.length} of ${n.waiting}`);
  write('#p-count', $$('.q', lists.progress).length);
  const late = all.filter((a) => phaseOf(a.state) === 'waiting' && Date.parse(a.claim_due) < now()).length;
  write('[data-tile="waiting"] .d', late ? `${late} past target` : '\u00a0');
  $$('[data-tile="waiting"]').forEach((tile) => tile.classList.toggle('tile-alarm', late > 0));
  return n.waiting;
}
