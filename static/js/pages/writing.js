/* A text that is kept as it is written: what the keeper says beside the button, both texts after a conflict, and a
   session that ended. The pages of a note, an addendum and a safety plan share it. */

import { say } from "../lib/say.js";
import { stay } from "../session/gone.js";
import { insertInto } from "./insert.js";
import { Keeper } from "./keep.js";

const saved = document.querySelector("#saved");
const place = document.querySelector("#both");

export function state(text, bad = false) {
  saved.textContent = text;
  saved.dataset.s = bad ? "bad" : "";
  saved.classList.toggle("muted", !bad);
}

/* One text of theirs goes into its own field: in the place of mine, or below it. */
function text(pair, how) {
  const chosen = document.getElementById(pair.dataset.section);
  const theirs = pair.querySelector("[data-theirs]").value;
  const button = document.activeElement;
  const end = chosen.value.length;
  if (how === "theirs") insertInto(chosen, theirs, 0, end);
  else insertInto(chosen, `\n\n${theirs}`, end, end);
  button.focus();
  pair.querySelector("[data-mine]").textContent = chosen.value;
}

/* Returns the keeper, `keep` (resolves to whether all that stands on the page is kept) and `words`, the text that had
   the focus last. `take` puts what was chosen of a pair into the form. */
export function writing(form, take = text) {
  let field = form.querySelector("textarea");
  let newest = place.querySelector("[data-version]")?.dataset.version ?? null; // saved elsewhere, until somebody chose
  const told = {
    saving: () => state("Saving…"),
    saved: (at) => {
      if (newest === null && !keeper.dirty) place.replaceChildren(); // what was chosen is kept too
      state(`Saved ${at}${form.dataset.also ?? ""}`);
    },
    failed: (why) => {
      const words = `Not saved: ${why}. Your words stay in this page, and it tries again.`;
      if (saved.textContent !== words) say(words);
      state(words, true);
    },
    refused: (message) => { state(message, true); say(message); },
    both: (html) => {
      place.innerHTML = html;
      newest = place.querySelector("[data-version]")?.dataset.version ?? null;
      chooseable();
      state("Not saved here: choose first. Both texts are kept.", true);
      place.querySelector("h2")?.focus();
    },
    gone: () => {
      state("Not saved: you are signed out.", true);
      stay();
    },
  };
  const keeper = new Keeper(form, (name, what) => told[name](what));
  keeper.stopped = newest !== null;

  /* Both texts stand side by side: what is chosen goes into the form, and Save says which one holds. */
  function chooseable() {
    for (const row of place.querySelectorAll(".js-only")) row.hidden = false;
  }
  place.addEventListener("click", (event) => {
    const how = event.target.closest("[data-take]")?.dataset.take;
    if (!how) return;
    take(event.target.closest("[data-section]"), how);
    keeper.edited();
    say("Taken into the text below. Save when you are done.");
  });

  async function keep() {
    if (newest !== null) {
      keeper.newest.value = newest;
      keeper.begin(); // a spell of its own: what the one before wrote was kept beside, and stays there
    }
    newest = null;
    keeper.stopped = false;
    keeper.edits += 1;
    return keeper.save();
  }

  form.addEventListener("focusin", (event) => { if (event.target.matches("textarea")) field = event.target; });
  addEventListener("online", () => { if (keeper.dirty) keeper.later(0); });
  addEventListener("pagehide", () => keeper.leaving());
  addEventListener("beforeunload", (event) => { // sent before the next page is asked for, which may be this one
    if (!keeper.dirty) return;
    keeper.leaving();
    event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") keeper.leaving();
  });
  document.addEventListener("session-over", (event) => { if (keeper.dirty) { event.preventDefault(); keeper.cut(); } });
  document.addEventListener("session-back", () => keeper.back());
  chooseable();
  const typed = [...form.querySelectorAll("textarea")].some((one) => one.value !== one.defaultValue);
  if (typed) keeper.edited(); // before this script had come
  return { keeper, keep, words: () => field };
}
