/* The alarm: two rising tones, synthesised, repeated every 30 s while somebody critical waits. */
const AGAIN = 30_000;
let audio;
let timer;
let mutedUntil = 0;

/* Browsers are silent until the person has touched the page: called at shift start and by the first touch. */
async function unlock() {
  try {
    audio ??= new AudioContext();
    if (audio.state !== 'running') await audio.resume();
  } catch { // no audio device: `ready` stays false and the page says so
    return false;
  }
  return alarm.ready;
}

function play() {
  if (!alarm.ready) return;
  [660, 880].forEach((pitch, step) => {
    const [at, tone, volume] = [audio.currentTime + step * 0.18, audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
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
  need(on) { if (!on) { clearInterval(timer); timer = undefined; } else timer ??= setInterval(alarm.now, AGAIN); },
  mute(seconds = 300) { mutedUntil = Date.now() + seconds * 1_000; },
};

['pointerdown', 'keydown'].forEach((name) => addEventListener(name, unlock, { once: true }));
