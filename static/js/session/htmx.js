/* What htmx sends from an open page: after the end of its session, and with the token of another one. */
import { isStale, over, renew } from './again.js';

/* Said at the form as any other failure, before the page is hidden. */
function failed(detail, isOver = false) {
  detail.elt.dispatchEvent(new CustomEvent('htmx:responseError', { bubbles: true, detail: { ...detail, isOver } }));
  if (isOver) over();
}

/* Sends it once more with the new token: it was not done. */
async function again(detail) {
  const { elt, requestConfig: { verb, path, headers, triggeringEvent } } = detail;
  const found = headers['X-Again'] ? 'unknown' : await renew();
  if (found === 'unknown' || found === 'gone') return failed(detail, found === 'gone');
  const by = triggeringEvent?.submitter;
  const values = by?.name ? { [by.name]: by.value } : {};
  return htmx.ajax(verb, path, { source: elt, event: triggeringEvent, values, headers: { 'X-Again': 'yes' } });
}

export function sending() {
  document.addEventListener('htmx:beforeOnLoad', (e) => {
    const { xhr } = e.detail;
    const isOver = [401, 403].includes(xhr.status) && xhr.getResponseHeader('HX-Redirect');
    if (!isOver && !isStale(xhr.getResponseHeader('X-Token'))) return;
    e.preventDefault();
    if (isOver) failed(e.detail, true);
    else again(e.detail);
  });
}
