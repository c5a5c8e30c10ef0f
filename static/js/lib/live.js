/* The socket of a page: numbers without a gap, states that can be believed, and a way back from every loss. */
const [SILENT, STALE, OPENING] = [15_000, 30_000, 8_000]; // a server in touch with its feeds ticks every 10 s
const SLOWLY = new Set([4400, 4401, 4403, 4429]); // told not to come: ask again, but seldom
/* connect({url, topics: {topic: last number on the page, or null}, …}) returns {retry, close, state, lastAt}.
   onEvent(event): one event, each once and in order. Throwing asks for a reload.
   onReload(topic): too far behind; returns (a promise of) the number of the fresh page, and is asked again where it
   fails: until then nothing is live. onGone(topic): not ours for now; when it is ours again, it is asked for anew.
   onState({state, live, lastAt, tries, code}): connecting, live, reconnecting or stale; lastAt in ms, null at first.
   onTick(iso): the server's time. onMarks({topic, marks}): what the lists beside the feed are now.
   What has been handled is acknowledged by itself; a page that doesn't show all says `confirms: false`, and calls
   shown(topic, n, item) for what it really shows: the events about that one thing, up to n. */
export function connect({ url, topics, confirms = true, onEvent, onReload, onState, onTick, onGone, onMarks }) {
  const last = new Map(Object.entries(topics));
  const [reloading, failing, gone, unseen, begun] = [new Set(), new Set(), new Set(), new Map(), Date.now()];
  let socket, state, timer, seenTimer;
  let [lastAt, heardAt, openedAt, tries, code, ended] = [null, begun, 0, 0, 0, false];

  const send = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
  const join = (names) => names.length && send({ type: 'join', topics: Object.fromEntries(names.map((name) => [name, last.get(name)])) });

  function say(wanted) {
    const next = wanted === 'live' && failing.size ? 'reconnecting' : wanted;
    const name = next !== 'live' && Date.now() - (lastAt ?? begun) > STALE ? 'stale' : next;
    if (name === state) return;
    state = name;
    onState?.({ state, live: state === 'live', lastAt, tries, code });
  }

  function open() {
    clearTimeout(timer);
    const mine = new WebSocket(new URL(url, location.href.replace(/^http/, 'ws')));
    socket = mine;
    openedAt = heardAt = Date.now();
    mine.onopen = () => { heardAt = Date.now(); join([...last.keys()].filter((name) => !reloading.has(name))); };
    mine.onmessage = ({ data }) => { if (mine === socket) hear(JSON.parse(data)); };
    mine.onclose = (event) => { if (mine === socket) lost(event.code); };
  }

  function lost(why) {
    [socket, code] = [undefined, why];
    if (ended) return;
    const wait = SLOWLY.has(code) ? 10_000 : Math.min(10_000, 500 * 2 ** tries);
    tries += 1;
    state = undefined; // the number of tries is news, too
    say(lastAt === null ? 'connecting' : 'reconnecting');
    timer = setTimeout(open, wait * (0.6 + Math.random() * 0.4));
  }

  function drop() {
    socket?.close(); // its own close event comes later and finds another socket in its place
    lost(0);
  }

  function hear(message) {
    heardAt = Date.now();
    if (state === 'live') lastAt = heardAt;
    const { type, topic, n } = message;
    if (message.now) onTick?.(message.now);
    if (type === 'welcome') welcome(message.topics);
    else if (type === 'event' && last.has(topic) && !reloading.has(topic)) take(message, topic, n);
    else if (type === 'reload') reload(topic);
    else if (type === 'marks') onMarks?.(message);
    else if (type === 'gone') { gone.add(topic); onGone?.(topic); }
  }

  function welcome(heads) {
    Object.entries(heads).forEach(([topic, n]) => {
      if (last.get(topic) === null) last.set(topic, n);
      if (confirms) see(topic, last.get(topic)); // what the page was rendered with has been shown, too
      if (gone.delete(topic)) reload(topic);
    });
    tries = code = 0;
    if (!failing.size) lastAt = Date.now();
    say('live');
  }

  function take(event, topic, n) {
    const known = last.get(topic) ?? n - 1;
    if (n <= known) return;
    if (n > known + 1) { drop(); return; } // come back with the number that we have
    try {
      onEvent(event);
      last.set(topic, n);
      if (confirms) see(topic, n);
    } catch (error) {
      console.error('live:', error.name);
      reload(topic);
    }
  }

  async function reload(topic) {
    if (reloading.has(topic) || !last.has(topic)) return;
    reloading.add(topic);
    const n = await (async () => onReload?.(topic))().catch(() => undefined);
    if (!Number.isInteger(n)) {
      failing.add(topic);
      say('reconnecting');
      setTimeout(() => { reloading.delete(topic); reload(topic); }, 3_000);
      return;
    }
    last.set(topic, n);
    [reloading, failing].forEach((set) => set.delete(topic));
    join([topic]); // and live with its welcome
  }

  function see(topic, n, item) { // at most five a second, the highest number speaks for all before it
    unseen.set(`${topic} ${item}`, { type: 'seen', topic, n, item });
    seenTimer ??= setTimeout(tell, 200);
  }

  function tell() {
    const [[key, message]] = unseen;
    unseen.delete(key);
    send(message);
    seenTimer = unseen.size ? setTimeout(tell, 200) : undefined;
  }

  const retry = () => { if (!ended && state !== 'live') { socket?.close(); open(); } };
  const look = () => {
    const silence = Date.now() - heardAt;
    if (socket && silence > (socket.readyState === WebSocket.OPEN ? SILENT : OPENING)) drop();
    else if (state !== 'live') say(lastAt === null ? 'connecting' : 'reconnecting');
  };
  const wake = () => { if (document.visibilityState === 'visible') { look(); if (Date.now() - openedAt > 1_000) retry(); } };
  const watch = setInterval(look, 1_000);
  addEventListener('online', retry);
  document.addEventListener('visibilitychange', wake);
  say('connecting');
  open();
  const close = () => { ended = true; [timer, seenTimer].forEach(clearTimeout); clearInterval(watch); socket?.close(); };
  return { retry, close, shown: see, get state() { return state; }, get lastAt() { return lastAt; } };
}
