/* The connection in words and colour, with the time of the last contact; never "Live" before it is. */
const WORDS = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', stale: 'Not live' };

export function pill({ state, lastAt }) {
  const box = document.querySelector('[data-live]');
  if (!box) return;
  box.dataset.s = state;
  box.querySelector('[data-live-word]').textContent = WORDS[state];
  box.querySelector('[data-live-time]').textContent = lastAt ? new Date(lastAt).toLocaleTimeString('en-GB') : '';
}
