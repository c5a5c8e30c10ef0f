/* Reads a drawn chart by the rows of its own table: arrows, Home and End move along it, T opens the table. */
import { say } from '../lib/say.js';

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function readable(box, svg, disclosed, table, singles) {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows].reverse(); // the oldest first, as it is drawn
  const hair = svg.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'line'));
  hair.setAttribute('class', 'cx-hair');
  hair.setAttribute('y1', 0);
  hair.setAttribute('y2', '100%');
  const tip = box.appendChild(document.createElement('div'));
  tip.className = 'cx-tip';
  tip.setAttribute('aria-hidden', 'true');
  let at = rows.length;

  const hide = () => { tip.hidden = true; hair.setAttribute('visibility', 'hidden'); };
  const show = (number) => {
    at = Math.max(0, Math.min(rows.length - 1, number));
    const [day, ...cells] = [...rows[at].cells].map((cell) => cell.textContent);
    const told = cells.map((cell, n) => cell && `${heads[n + 1]}: ${cell}`).filter(Boolean);
    tip.textContent = [day, ...told].join('\n');
    tip.hidden = false;
    const x = Number(rows[at].dataset.x);
    hair.setAttribute('x1', `${x}%`);
    hair.setAttribute('x2', `${x}%`);
    hair.setAttribute('visibility', 'visible');
    const left = svg.getBoundingClientRect().left - box.getBoundingClientRect().left + x / 100 * svg.clientWidth;
    const beside = x > 60 ? left - tip.offsetWidth - 8 : left + 8;
    tip.style.left = `${Math.max(0, Math.min(box.clientWidth - tip.offsetWidth, beside))}px`;
    return [day, ...told].join('. ');
  };

  hide();
  box.tabIndex = 0;
  box.setAttribute('role', 'group');
  const title = svg.querySelector('title').textContent;
  box.setAttribute('aria-label', `${title}. Left and right arrows read it${singles ? ', T shows its table' : ''}.`);
  box.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) say(show(at + STEPS[event.key]));
    else if (singles && event.key.toLowerCase() === 't') disclosed.open = !disclosed.open;
    else if (event.key === 'Escape') hide();
    else return;
    event.preventDefault();
  });
  box.addEventListener('blur', hide);
  svg.addEventListener('pointermove', (event) => {
    const frame = svg.getBoundingClientRect();
    const under = (event.clientX - frame.left) / frame.width * 100;
    const far = rows.map((row) => Math.abs(Number(row.dataset.x) - under));
    show(far.indexOf(Math.min(...far)));
  });
  svg.addEventListener('pointerleave', hide);
}

const singles = document.body.dataset.keys !== 'off';
for (const box of document.querySelectorAll('.cx')) {
  const disclosed = box.parentElement.querySelector('details.disclose');
  const table = disclosed?.querySelector('table');
  const svg = box.querySelector(':scope > [role=img]');
  if (table?.tBodies[0].rows.length && svg) readable(box, svg, disclosed, table, singles);
}
