/* Keys of the board that act on the selected row, wherever its panel is: beside the list, in a drawer, or closed. */
import { say } from '../lib/say.js';

const $ = (css) => document.querySelector(css);
const control = () => $('#preview [data-key=e]');
let asked = ''; // for which alert

/* Escalates what is selected; where its panel is closed or still of another person, it opens first. */
export function escalate(select) {
  const row = $('#lists .q.sel');
  if (!row) return say('Select an alert first.');
  const preview = $('#preview');
  if (preview.dataset.id === row.dataset.id && !preview.inert) return control()?.click();
  asked = row.dataset.id;
  return select(row, { open: true });
}

/* Called when a panel has arrived, or won't: goes on with what was asked of this alert before it was there. */
export function settleEscalation(id) {
  if (asked && asked === id) control()?.click();
  asked = '';
}

document.addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && e.target === document.body) $('#lists .q.sel .q-name')?.click(); // nothing has the focus
});
