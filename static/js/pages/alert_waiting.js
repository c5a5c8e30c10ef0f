/* The bar over an alert page: other critical alerts that wait. What it names may be confirmed, and nothing else. */
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

const NAMED = 3; // the latest; the others are counted
const WAITING = ['new', 'notified'];
const bar = document.getElementById('waiting');
const list = bar.querySelector('[data-waiting-list]');
const title = document.title;
const { topics, waiting: rows } = document.body.dataset;
const joined = JSON.parse(topics);
const waiting = new Map(JSON.parse(rows).map((one) => [one.id, { ...one, n: joined[one.topic] }]).reverse());

const isSeen = () => bar.isConnected && bar.matches(':popover-open') && bar.checkVisibility();

function line({ who, what }) {
  const [item, name] = [document.createElement('li'), document.createElement('span')];
  Object.assign(name, { className: 'pii', textContent: who });
  item.append(name, `, ${what}`);
  return item;
}

/* Draws the bar, the title and the alarm; returns the alerts that the bar now names to whoever looks. */
export function draw() {
  const named = [...waiting.values()].slice(-NAMED).reverse();
  const more = waiting.size - named.length;
  document.title = named.length ? `(${waiting.size} waiting) ${title}` : title;
  alarm.need(named.length > 0);
  if (!bar.isConnected) return [];
  bar.querySelector('[data-waiting-head]').textContent = waiting.size > 1
    ? `${waiting.size} critical alerts are waiting:` : 'A critical alert is waiting:';
  const rest = Object.assign(document.createElement('li'), { textContent: `and ${more} more` });
  list.replaceChildren(...named.map(line), ...(more ? [rest] : []));
  if (document.querySelector('dialog[open]')) bar.togglePopover(false); // and anew, above the dialog
  bar.togglePopover(named.length > 0);
  return isSeen() ? named : [];
}

/* Takes in one change of another alert. */
export function take({ id, level, state, who, what }, { topic, n }) {
  const isNew = !waiting.delete(id);
  if (level !== 'critical' || !WAITING.includes(state)) return;
  waiting.set(id, { id, topic, n, who, what });
  if (!isNew) return;
  say(`A critical alert is waiting: ${who}, ${what}.`, true);
  alarm.now();
}
