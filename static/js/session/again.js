/* Whose session this is by now, and its token: whoever signs in again, in whichever tab, gets another one. */

const gone = document.getElementById('gone');

/* Whether the server refused a token that is not its session's: it has done nothing of what was asked. */
export const isStale = (header) => header === 'stale';

/* Resolves to "ours" when the person of this page is signed in (to "covered" under the cover), and then its forms and
   scripts have their token; to "gone" when nobody is, or somebody else; to "unknown" when the server didn't say. */
export async function renew() {
  try {
    const asked = { headers: { 'HX-Request': 'true' }, redirect: 'manual', signal: AbortSignal.timeout(15_000) };
    const answer = await fetch(gone.dataset.again, asked);
    if (answer.type === 'opaqueredirect' || [401, 403].includes(answer.status)) return 'gone';
    if (answer.status !== 200) return 'unknown';
    const { me, token, covered } = await answer.json();
    if (me !== document.body.dataset.me) return 'gone';
    for (const one of document.querySelectorAll('[name=csrfmiddlewaretoken]')) one.value = token;
    document.body.setAttribute('hx-headers', JSON.stringify({ 'X-CSRFToken': token }));
    return covered ? 'covered' : 'ours';
  } catch { return 'unknown'; }
}

/* The session is over: what is typed keeps its page (gone.js, writing.js); any other one leads to the sign-in, and
   from there back to here. */
export function over() {
  if (!document.dispatchEvent(new Event('session-over', { cancelable: true }))) return;
  location.assign(`${gone.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
}
