/* The page on which a note is written: what the keeper says beside the button, both texts after a conflict,
   a session that ended, and what may be inserted. */

import { say } from "../lib/say.js";
import { Keeper } from "./note_keep.js";

const form = document.querySelector("#note");
const saved = document.querySelector("#saved");
const place = document.querySelector("#note-conflict");
const gone = document.querySelector("#gone");
const insert = document.querySelector("#insert");
let words = form.querySelector("textarea");
let newest = ""; // the version that was saved elsewhere, until somebody chose
let watch = 0;

function state(text, bad = false) {
  saved.textContent = text;
  saved.dataset.s = bad ? "bad" : "";
  saved.classList.toggle("muted", !bad);
}

const told = {
  saving: () => state("Saving…"),
  saved: (at) => state(`Saved ${at}`),
  failed: () => {
    const text = "Not saved: no connection. Your words stay in this page, and it tries again.";
    if (saved.textContent !== text) say(text);
    state(text, true);
  },
  refused: (message) => { state(`Not saved: ${message}`, true); say(saved.textContent); },
  both: (html) => {
    place.innerHTML = html;
    newest = place.querySelector("[data-version]")?.dataset.version ?? "";
    chooseable();
    state("Not saved here: choose first. Both texts are kept.", true);
    place.querySelector("h2")?.focus();
  },
  gone: () => {
    document.body.classList.add("nt-gone");
    document.querySelector("#cover")?.close();
    if (!gone.open) gone.showModal();
    state("Not saved: you are signed out.", true);
    watch ||= setInterval(() => keeper.tryAgain(), 3000);
  },
  back: () => {
    clearInterval(watch);
    watch = 0;
    document.body.classList.remove("nt-gone");
    new BroadcastChannel("cortex-idle").postMessage("input"); // the pages' idle clocks begin anew
    gone.close();
    words.focus();
  },
};
const keeper = new Keeper(form, (name, what) => told[name](what));

/* Both texts stand side by side: what is chosen goes into the form, and Save says which one holds. */
function chooseable() {
  for (const row of place.querySelectorAll(".js-only")) row.hidden = false;
}
place.addEventListener("click", (event) => {
  const how = event.target.closest("[data-take]")?.dataset.take;
  if (!how) return;
  const pair = event.target.closest("[data-section]");
  const field = document.getElementById(pair.dataset.section);
  const theirs = pair.querySelector("[data-theirs]").value;
  field.value = how === "theirs" ? theirs : `${field.value}\n\n${theirs}`;
  pair.querySelector("[data-mine]").textContent = field.value;
  keeper.edits += 1;
  say("Taken into the note below. Save when you are done.");
});

async function keep() {
  if (newest) form.elements.version.value = newest;
  const chosen = newest;
  newest = "";
  keeper.stopped = false;
  keeper.edits += 1;
  const all = await keeper.save();
  if (chosen && !keeper.stopped) place.replaceChildren();
  return all;
}

form.addEventListener("input", (event) => { if (event.target !== insert) keeper.edited(); });
form.addEventListener("focusin", (event) => { if (event.target.matches("textarea")) words = event.target; });
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const reads = event.submitter?.name === "read";
  if ((await keep()) && reads) location.assign(form.dataset.read);
});
document.querySelector("#gone-try").addEventListener("click", async () => {
  const back = await keeper.tryAgain();
  document.querySelector("#gone-say").textContent = back ? "" : "You are not signed in yet, or as somebody else.";
});
gone.addEventListener("cancel", (event) => event.preventDefault());

/* Facts go into the section for facts, whatever has the focus: never into what somebody says or thinks. */
insert?.addEventListener("change", () => {
  const facts = insert.selectedOptions[0].hasAttribute("data-facts");
  const field = facts ? document.getElementById(insert.dataset.fills) : words;
  if (insert.value) {
    field.setRangeText(insert.value, field.selectionStart, field.selectionEnd, "end");
    keeper.edited();
    field.focus();
  }
  insert.value = "";
});
if (insert) insert.closest("[hidden]").hidden = false;

addEventListener("online", () => { if (keeper.dirty) keeper.later(0); });
addEventListener("pagehide", () => keeper.leaving());
addEventListener("beforeunload", (event) => { if (keeper.dirty) event.preventDefault(); });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") keeper.leaving();
  else if (gone.open) keeper.tryAgain();
});
document.addEventListener("session-over", (event) => { if (keeper.dirty) { event.preventDefault(); keeper.cut(); } });
chooseable();
