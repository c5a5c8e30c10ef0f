/* The page on which a note is written: kept as it is typed, read before it is signed, and what may be inserted. */

import { say } from "../lib/say.js";
import { insertInto } from "./insert.js";
import { writing } from "./writing.js";

const form = document.querySelector("#note");
const insert = document.querySelector("#insert");
const { keeper, keep, words } = writing(form);

form.addEventListener("input", (event) => { if (event.target !== insert) keeper.edited(); });
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const reads = event.submitter?.name === "read";
  if ((await keep()) && reads) location.assign(form.dataset.read);
});

/* Facts go into the section for facts, a template into its own, and phrases where templates may stand, whatever has
   the focus: never into what somebody says or thinks. What doesn't go to the cursor stands below what is there. */
function place({ facts, into }) {
  const { fills, takes } = insert.dataset;
  const own = takes.split(" ").find((one) => one === words().name) ?? takes.split(" ")[0];
  return form.elements[into ?? (facts === undefined ? own : fills)];
}

/* Lines begin on a line of their own; a phrase does where a word would touch it. */
function apart(text, isPhrase, before, after) {
  const above = before && !(isPhrase ? /\s$/ : /\n$/).test(before) ? "\n" : "";
  const below = after && !/^\s/.test(after) && !text.endsWith("\n") ? "\n" : "";
  return `${above}${text}${below}`;
}

function put() {
  const [chosen] = insert.selectedOptions;
  if (insert.value) {
    const field = place(chosen.dataset);
    const goesOn = field === words();
    const start = goesOn ? field.selectionStart : field.value.length;
    const end = goesOn ? field.selectionEnd : start;
    const isPhrase = goesOn && "phrase" in chosen.dataset;
    insertInto(field, apart(insert.value, isPhrase, field.value.slice(0, start), field.value.slice(end)), start, end);
    if (!goesOn) say(`Inserted into ${field.labels[0].textContent}.`);
  }
  insert.value = "";
}

if (insert) {
  let byKeys = false; // whoever goes through the list by keys passes by other choices: Enter says which one holds
  insert.addEventListener("pointerdown", () => { byKeys = false; });
  insert.addEventListener("keydown", (event) => {
    byKeys = event.key !== "Enter";
    if (byKeys) return;
    event.preventDefault(); // the browser would send the form
    put();
  });
  insert.addEventListener("change", () => { if (!byKeys) put(); });
  insert.addEventListener("blur", () => { insert.value = ""; byKeys = false; });
  insert.closest("[hidden]").hidden = false;
}
