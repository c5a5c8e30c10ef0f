/* Sends a command as htmx would: same header, same CSRF token, so that the server answers with the same partials.
   A server that says nothing for 15 s has not answered. */
import { isStale, over, renew } from '../session/again.js';

function send(url, fields) {
  const headers = JSON.parse(document.body.getAttribute('hx-headers') || '{}');
  return fetch(url, {
    method: 'POST', redirect: 'manual', signal: AbortSignal.timeout(15_000),
    headers: { ...headers, 'HX-Request': 'true' },
    body: new URLSearchParams(fields),
  });
}

/* A token that is another session's by now is renewed, and the command sent once more: it was not done. */
export async function post(url, fields = {}) {
  const answer = await send(url, fields);
  const found = isStale(answer.headers.get('X-Token')) ? await renew() : '';
  if (found === 'ours' || found === 'covered') return send(url, fields);
  if (found === 'gone' || ([401, 403].includes(answer.status) && answer.headers.has('HX-Redirect'))) over();
  return answer;
}
