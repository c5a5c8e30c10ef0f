/* The form of a safety plan: kept as it is typed, its lines moved about in the page, finished by its button alone. */

import { add, fill, move, read, takeOut } from "./safety_plan_rows.js";
import { writing } from "./writing.js";

const form = document.querySelector("#safety");
const { keeper, keep } = writing(form, take);
const LONGEST = 15_000; // ms; an answer that takes longer may be asked for again, which finishes once
let finishes = false; // from the press of the button until the next page, or until it failed
let leaves = false;

/* After a conflict: theirs in the place of mine, or the lines that I lack below mine. */
function take(pair, how) {
  const mine = pair.querySelector("[data-mine]");
  const theirs = pair.querySelector("[data-theirs]");
  const fact = form.elements[pair.dataset.section];
  if (fact) {
    if (fact.type === "checkbox") fact.checked = Boolean(theirs.dataset.value);
    else fact.value = theirs.dataset.value;
    mine.textContent = theirs.textContent;
    return;
  }
  const block = form.querySelector(`[data-block="${pair.dataset.section}"]`);
  const kept = how === "theirs" ? [] : read(block);
  const known = new Set(kept.map((line) => line.join("\n")));
  const said = [...theirs.querySelectorAll("[data-text]")];
  const lines = said.map((one) => [one.dataset.text, one.dataset.contact]).filter((line) => !known.has(line.join("\n")));
  fill(block, [...kept, ...lines]);
  mine.replaceChildren(...read(block).map((line) => {
    const shown = document.createElement("li");
    shown.textContent = line.filter(Boolean).join(", ");
    return shown;
  }));
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[name=arrange]");
  if (!button) return;
  event.preventDefault();
  const block = button.closest("[data-block]");
  const row = button.closest("[data-row]");
  const what = button.value.split(":")[0];
  if (what === "more") add(block);
  else if (what === "out") takeOut(block, row);
  else move(block, row, what === "up");
  if (what !== "more") keeper.edited();
});

form.addEventListener("input", () => keeper.edited());

/* Finishing sends the form itself, once everything that stands in it is kept. */
form.addEventListener("submit", async (event) => {
  if (leaves) return;
  event.preventDefault();
  if (finishes) return;
  const button = event.submitter;
  const last = finishes = button?.name === "finish";
  const all = await keep();
  if (!last) return;
  finishes = all;
  if (!all) return;
  form.elements.number.value = Number(form.elements.number.value) + 1;
  leaves = true;
  form.requestSubmit(button);
  leaves = false;
  setTimeout(() => { finishes = false; }, LONGEST);
});

addEventListener("pageshow", () => { finishes = false; }); // gone back to
