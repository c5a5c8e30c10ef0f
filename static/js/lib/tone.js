/* The alarm: two rising tones, synthesised, repeated every 30 s while somebody critical waits. */
const AGAIN = 30_000;
let [audio, timer, mutedUntil, played] = [undefined, undefined, 0, 0];

/* Browsers are silent until the person has touched the page: called at shift start and by the first touch. */
async function unlock() {
  try {
    audio ??= new AudioContext();
    if (audio.state !== 'running') await audio.resume();
  } catch { /* no audio device: `ready` stays false and the page says so */ }
  return alarm.ready;
}

function play() {
  if (!alarm.ready || Date.now() - played < 2_000) return; // two reasons at once are one tone
  played = Date.now();
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

export const alarm = {
  unlock,
  get ready() { return audio?.state === 'running'; },
  get muted() { return Date.now() < mutedUntil; },
  now() { if (!alarm.muted) play(); },
  async test() { const heard = await unlock(); play(); return heard; }, // a test sounds even when muted
  need(on) { if (!on) { clearInterval(timer); timer = undefined; } else if (!timer) { alarm.now(); timer = setInterval(alarm.now, AGAIN); } },
  mute(seconds = 300) { mutedUntil = Date.now() + seconds * 1_000; },
};

/* Allowed at once where a touch on our last page led here, as at the start of a shift; elsewhere browsers complain. */
const led = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && document.referrer.startsWith(location.origin);
if (led) unlock().then(() => { if (timer) alarm.now(); });
['pointerdown', 'keydown'].forEach((name) => addEventListener(name, unlock, { once: true }));
