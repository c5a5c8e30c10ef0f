/* The list of who is on shift: how many cases each has open, kept up with what the queue hears. */
const words = (n) => (n > 0 ? `${n} open` : 'No open case');

function add(person, step) {
  const node = person && document.querySelector(`[data-person="${person}"] [data-load]`);
  if (node) node.textContent = words((parseInt(node.textContent, 10) || 0) + step);
}

/* Takes in one change of the queue: whose the alert was, and whose it is. */
export function shift({ row, before }) {
  const [was, is] = [before?.owner ?? '', row.dataset.owner];
  if (was === is) return;
  add(was, -1);
  add(is, 1);
}
