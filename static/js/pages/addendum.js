/* The form of an addendum: kept as it is typed; what is signed is the version that the server has of it. */

import { say } from "../lib/say.js";
import { state, writing } from "./writing.js";

const form = document.querySelector("#added");
const signature = document.querySelector("#added-sign");
const { keeper, keep, words } = writing(form);

form.addEventListener("input", () => keeper.edited());
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const signs = event.submitter?.name !== "keep";
  if (signs && !words().value.trim()) {
    state("Write what is to be added.", true);
    say("Write what is to be added.");
    words().focus();
    return;
  }
  if (!(await keep()) || !signs) return;
  signature.elements.version.value = form.elements.version.value;
  signature.submit();
});
