/* The connection in words and colour, with the time of the last contact; never "Live" before it is. */
const WORDS = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', stale: 'Not live' };

/* "03:12:10" in the zone that the server writes times in. */
export function timeText(at) {
  return new Date(at).toLocaleTimeString('en-GB', { timeZone: document.body.dataset.zone || undefined });
}

export function pill({ state, lastAt }) {
  const box = document.querySelector('[data-live]');
  if (!box) return;
  box.dataset.s = state;
  box.querySelector('[data-live-word]').textContent = WORDS[state];
  box.querySelector('[data-live-time]').textContent = lastAt ? timeText(lastAt) : '';
}
