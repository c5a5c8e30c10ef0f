/* The page on which a note is written: kept as it is typed, read before it is signed, and what may be inserted. */

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

/* Facts go into the section for facts and phrases where templates may stand, whatever has the focus: never into what
   somebody says or thinks. What doesn't go to the cursor stands below what is there. */
function place(isFact) {
  const { fills, takes } = insert.dataset;
  const name = isFact ? fills : takes.split(" ").find((one) => one === words().name) ?? takes.split(" ")[0];
  const field = form.elements[name];
  if (field === words()) return field;
  if (field.value && !field.value.endsWith("\n")) field.value += "\n";
  field.setSelectionRange(field.value.length, field.value.length);
  return field;
}

insert?.addEventListener("change", () => {
  if (insert.value) {
    const field = place(insert.selectedOptions[0].hasAttribute("data-facts"));
    field.setRangeText(insert.value, field.selectionStart, field.selectionEnd, "end");
    keeper.edited();
    field.focus();
  }
  insert.value = "";
});
if (insert) insert.closest("[hidden]").hidden = false;
