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

/* Facts go into the section for facts, whatever has the focus: never into what somebody says or thinks. */
insert?.addEventListener("change", () => {
  const facts = insert.selectedOptions[0].hasAttribute("data-facts");
  const field = facts ? document.getElementById(insert.dataset.fills) : words();
  if (insert.value) {
    field.setRangeText(insert.value, field.selectionStart, field.selectionEnd, "end");
    keeper.edited();
    field.focus();
  }
  insert.value = "";
});
if (insert) insert.closest("[hidden]").hidden = false;
