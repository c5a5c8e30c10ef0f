/* Keeps a text with the server: numbered saves of one spell, one at a time, again and again until one arrives.
   What is typed lives in the page alone; no browser storage ever holds it. */

const WAIT = 1200; // ms after the last key
const LONGEST = 5000; // and never longer than this after the first one
const AGAIN = [2000, 4000, 8000, 15000];
const KEEPALIVE_MOST = 60_000; // bytes that a browser still sends while a page closes

export class Keeper {
  /* `tell` is called with a state and what belongs to it: saving, saved, failed, refused, both, gone, back. */
  constructor(form, tell) {
    Object.assign(this, { form, tell, edits: 0, kept: 0, busy: null, tried: 0, failures: 0, first: 0, stopped: false });
    this.token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    this.me = document.body.dataset.me;
    this.begin();
  }

  begin() { // another spell of saves, with numbers of its own
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    this.form.elements.spell.value = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
    this.form.elements.number.value = 0;
  }

  get dirty() { return this.edits > this.kept; }
  get newest() { return this.form.elements.seen ?? this.form.elements.version; } // what this page was made from

  edited() {
    this.edits += 1;
    this.first ||= Date.now();
    this.later(Math.min(WAIT, Math.max(LONGEST - (Date.now() - this.first), 0)));
  }

  later(wait) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.save(), wait);
  }

  body() {
    this.form.elements.number.value = Number(this.form.elements.number.value) + 1;
    return new URLSearchParams(new FormData(this.form));
  }

  headers() { return { "X-CSRFToken": this.token, "HX-Request": "true" }; }
  /* Resolves to whether everything that stands on the page has been kept. */
  async save() {
    clearTimeout(this.timer);
    if (this.busy) { await this.busy; return this.dirty && !this.stopped ? this.save() : !this.dirty; }
    this.busy = this.send();
    try { await this.busy; } finally { this.busy = null; }
    if (this.edits > this.tried && !this.stopped && !this.failures && !this.timer) this.later(WAIT);
    return !this.dirty;
  }

  async send() {
    const sent = this.tried = this.edits;
    this.timer = null;
    this.tell("saving");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST", body: this.body(), headers: this.headers(), redirect: "manual",
        signal: AbortSignal.timeout(15_000),
      });
      if (answer.status === 200) this.arrived(await answer.json(), sent);
      else if (answer.status === 409) { this.stopped = true; this.kept = sent; this.tell("both", await answer.text()); }
      else if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") await this.cut();
      else if (answer.status === 422) this.tell("refused", (await answer.json()).message);
      else this.failed(answer.status === 404 ? "this is not open to you any more" : "the server can't keep it now");
    } catch { this.failed("no connection"); }
  }

  arrived({ version, at }, sent) {
    this.newest.value = version;
    this.kept = Math.max(this.kept, sent);
    this.first = this.dirty ? Date.now() : 0;
    this.failures = 0;
    this.tell("saved", at);
  }

  failed(why) {
    this.later(AGAIN[Math.min(this.failures, AGAIN.length - 1)]);
    this.failures += 1;
    this.tell("failed", why);
  }

  /* Whether one's own session is there again; its token is another one after a sign-in. */
  async returned() {
    try {
      const answer = await fetch(this.form.dataset.state, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (answer.status !== 200) return false;
      const { me, token } = await answer.json();
      if (me !== this.me) return false;
      this.token = token;
      for (const one of document.querySelectorAll("[name=csrfmiddlewaretoken]")) one.value = token;
      document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
      return true;
    } catch { return false; }
  }

  async cut() {
    if (await this.returned()) { this.later(this.failures ? AGAIN[1] : 0); this.failures += 1; return; }
    this.stopped = true;
    this.tell("gone");
  }

  async tryAgain() {
    if (!(await this.returned())) return false;
    this.stopped = false;
    this.tell("back");
    this.later(0);
    return true;
  }

  /* The page closes or goes to the back: the last words go without waiting for an answer. */
  leaving() {
    if (!this.dirty) return;
    const body = this.body();
    const [method, headers, keepalive] = ["POST", this.headers(), body.toString().length < KEEPALIVE_MOST];
    fetch(this.form.action, { method, body, headers, keepalive }).catch(() => {});
  }
}
