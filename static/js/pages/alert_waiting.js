/* The bar over a page: critical alerts that wait. An alert's own page counts its own and names the others, and what it
   names may be confirmed, nothing else; any other page, and a covered one, only counts them. */
import { say } from '../lib/say.js';
import { alarm } from '../lib/tone.js';

const NAMED = 3; // the latest; the others are counted
const WAITING = ['new', 'notified'];
const bar = document.getElementById('waiting');
const list = bar.querySelector('[data-waiting-list]');
const title = document.title;
const { alert: own } = document.body.dataset;
const waiting = new Map();

export const isCovered = () => document.body.classList.contains('is-covered');
const isSeen = () => bar.isConnected && bar.matches(':popover-open') && bar.checkVisibility();

/* Takes in what waits: by the page's own data, or as the server says it anew. Returns where the feeds stand. */
export function settle({ topics = {}, waiting: rows = [] } = given()) {
  waiting.clear();
  rows.reverse().forEach((one) => waiting.set(one.id, { ...one, n: topics[one.topic] }));
  return topics;
}
function given() {
  const { topics, waiting: rows } = document.body.dataset;
  return { topics: JSON.parse(topics), waiting: JSON.parse(rows) };
}

/* Forgets what waits in a feed that is not this person's any more. */
export function forget(topic) {
  waiting.forEach((one, id) => one.topic === topic && waiting.delete(id));
  draw();
}

/* A page that fell behind was told how many wait, and not of whom: those are counted. */
const isNamed = ({ id, who }) => id === own || who;

function line({ id, who, what }) {
  if (id === own) return Object.assign(document.createElement('li'), { textContent: 'the one on this page' });
  const [item, name] = [document.createElement('li'), document.createElement('span')];
  Object.assign(name, { className: 'pii', textContent: who });
  item.append(name, `, ${what}`);
  return item;
}

const head = (end) => `${waiting.size > 1 ? `${waiting.size} critical alerts are` : 'A critical alert is'} waiting${end}`;

/* Draws the bar, the title and the alarm; returns the alerts that the bar now names to whoever looks. */
export function draw() {
  const names = own && !isCovered();
  const named = names ? [...waiting.values()].filter(isNamed).slice(-NAMED).reverse() : [];
  const more = names ? waiting.size - named.length : 0;
  document.title = waiting.size ? `(${waiting.size} waiting) ${title}` : title;
  alarm.need(waiting.size > 0);
  if (!bar.isConnected) return [];
  bar.querySelector('[data-waiting-head]').textContent = head(names ? ':' : '.');
  const rest = Object.assign(document.createElement('li'), { textContent: named.length ? `and ${more} more` : `${more} on the board` });
  list.replaceChildren(...named.map(line), ...(more ? [rest] : []));
  if (document.querySelector('dialog[open]')) bar.togglePopover(false); // and anew, above the dialog
  bar.togglePopover(waiting.size > 0);
  return isSeen() ? named : [];
}

/* Takes in one change of another alert. */
export function take({ id, level, state, who, what }, { topic, n }) {
  const isNew = !waiting.delete(id);
  if (level !== 'critical' || !WAITING.includes(state)) return;
  waiting.set(id, { id, topic, n, who, what });
  if (!isNew) return;
  say(own && !isCovered() ? `A critical alert is waiting: ${who}, ${what}.` : 'A critical alert is waiting.', true);
  alarm.now();
}

settle();
