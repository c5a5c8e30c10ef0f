/* Keeps a text with the server: numbered saves of one spell, one at a time, again and again until one arrives.
   What is typed lives in the page alone; no browser storage ever holds it. */

import { renew } from "../session/again.js";

const WAIT = 1200; // ms after the last key
const LONGEST = 5000; // and never longer than this after the first one
const AGAIN = [2000, 4000, 8000, 15000];
const KEEPALIVE_MOST = 60_000; // bytes that a browser still sends while a page closes

export class Keeper {
  /* `tell` is called with a state and what belongs to it: saving, saved, failed, refused, both, gone. */
  constructor(form, tell) {
    Object.assign(this, { form, tell, edits: 0, kept: 0, busy: null, tried: 0, failures: 0, first: 0, stopped: false,
      isCut: false });
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
    if (this.failures && (this.timer || this.busy)) return; // it is tried again when its time comes
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

  post(more) {
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
    return fetch(this.form.action, { method: "POST", headers, ...more });
  }

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
      const answer = await this.post({ body: this.body(), redirect: "manual", signal: AbortSignal.timeout(15_000) });
      if (answer.status === 200) this.arrived(await answer.json(), sent);
      else if (answer.status === 409) this.collided(await answer.text(), sent);
      else if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") await this.cut();
      else if (answer.status === 422) this.refused(await answer.json());
      else this.failed(answer.status === 404 ? "this is not open to you any more" : "the server can't keep it now");
    } catch { this.failed("no connection"); }
  }

  arrived({ version, at }, sent) {
    this.newest.value = version;
    Object.assign(this, { kept: Math.max(this.kept, sent), failures: 0 });
    this.first = this.dirty ? Date.now() : 0;
    this.tell("saved", at);
  }

  collided(html, sent) { // an answer that names the newest version kept both texts; any other one kept nothing
    const said = new DOMParser().parseFromString(html, "text/html");
    const message = said.body.textContent.replace(/\s+/g, " ").trim();
    if (!said.querySelector("[data-version]")) return this.refused({ message });
    Object.assign(this, { stopped: true, kept: sent });
    return this.tell("both", html);
  }

  refused({ message, version }) { // with a version the words are kept, what stands beside them isn't
    Object.assign(this, { failures: 0, first: 0 }).newest.value = version ?? this.newest.value;
    this.tell("refused", version ? message : `Not saved: ${message}`);
  }

  failed(why) {
    this.later(AGAIN[Math.min(this.failures++, AGAIN.length - 1)]);
    this.first = 0;
    this.tell("failed", why);
  }

  async cut() {
    const found = await renew();
    if (found === "ours") { this.later(this.failures ? AGAIN[1] : 0); this.failures += 1; return; }
    if (found !== "gone") { this.failed("the server can't keep it now"); return; }
    this.stopped = this.isCut = true;
    this.tell("gone");
  }

  back() {
    if (!this.isCut) return;
    this.stopped = this.isCut = false;
    this.later(0);
  }

  /* The page closes or goes to the back: the last words go without waiting for an answer. */
  leaving() {
    if (!this.dirty) return;
    const body = this.body();
    this.post({ body, keepalive: body.toString().length < KEEPALIVE_MOST }).catch(() => {});
  }
}
