/* The alarm: two rising tones, synthesised, repeated every 30 s while somebody critical waits; one tab sounds for all. */
const AGAIN = 30_000;
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('cortex-tone') : null;
let [audio, timer, mutedUntil, played] = [undefined, undefined, 0, -Infinity]; // `played`: by any tab

/* Browsers are silent until the person has touched the page: called at shift start and by touches. */
async function unlock() {
  try { await (audio ??= Object.assign(new AudioContext(), { onstatechange: follow })).resume(); }
  catch { /* no audio device: `ready` stays false and the page says so */ }
  return alarm.ready;
}

function play() {
  played = performance.now();
  tabs?.postMessage('played');
  [660, 880].forEach((pitch, step) => {
    const [at, volume] = [audio.currentTime + step * 0.18, audio.createGain()];
    const tone = new OscillatorNode(audio, { frequency: pitch });
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.18);
  });
}

/* Sounds unless another tab does, or did lately; the lock is held until all of them can know it. */
function sound(gap) {
  if (!alarm.ready || alarm.muted) return;
  const once = (free) => free && performance.now() - played >= gap && (play(), new Promise((done) => { setTimeout(done, 400); }));
  if (navigator.locks) navigator.locks.request('cortex-tone', { ifAvailable: true }, once).catch(play); else once(true);
}
const again = () => sound(AGAIN - 1_000);
/* It runs, or has stopped: pages say which (`sound`), and what waits is heard at once. */
const follow = () => { dispatchEvent(new Event('sound')); if (alarm.ready && timer) again(); };

export const alarm = {
  get ready() { return audio?.state === 'running'; },
  get muted() { return Date.now() < mutedUntil; },
  now() { sound(2_000); }, // two reasons at once are one tone
  async test() { const heard = await unlock(); if (heard) play(); return heard; }, // a test sounds even when muted
  need(on) { if (!on) { clearInterval(timer); timer = undefined; } else if (!timer) { again(); timer = setInterval(again, AGAIN); } },
  mute(seconds = 300) { mutedUntil = Date.now() + seconds * 1_000; },
};

tabs?.addEventListener('message', () => { played = performance.now(); });
/* Allowed at once where a touch on our last page led here, as at the start of a shift; elsewhere browsers complain. */
const led = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && document.referrer.startsWith(location.origin);
if (led) unlock();
/* Not every touch counts (Escape, a finger that only comes down), and a device may stop the sound: each one tries. */
['pointerup', 'click', 'keydown'].forEach((name) => addEventListener(name, () => alarm.ready || unlock(), true));
