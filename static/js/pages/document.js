/* Sends a document and shows how far it is; without this script the browser's own form does. */

import { say } from "../lib/say.js";
import { renew } from "../session/again.js";

const form = document.querySelector("#upload");
const said = document.querySelector("#said");
const going = document.querySelector("#going");
const bar = document.querySelector("#bar");
const LOST = "The connection was lost and nothing was kept. Send it again: what you typed stays here.";
const OVER = "Your session has ended and nothing was kept. Sign in in another tab, then send it again.";
const CLOSED = [401, 403, 423];
let under = false;
let stale = false;

function tell(text, bad = false) {
  said.textContent = text;
  said.dataset.s = bad ? "bad" : "";
  if (bad) say(text, true);
}

const megabytes = (size) => (size / 2 ** 20).toFixed(1);

/* The answer is the same page with what is to be done; the chosen file stays where it is. */
function refused(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const errors = page.querySelector("#upload-errors");
  if (!errors) return false;
  document.querySelector("#upload-errors").replaceChildren(...errors.childNodes);
  for (const field of form.querySelectorAll(".field")) {
    const input = field.querySelector("[id]:is(input, select, textarea)");
    const other = input && page.getElementById(input.id)?.closest(".field");
    field.classList.toggle("field-bad", Boolean(other?.classList.contains("field-bad")));
    for (const one of field.querySelectorAll(":scope > .err")) one.remove();
    if (other) field.append(...other.querySelectorAll(":scope > .err"));
    input?.setAttribute("aria-invalid", String(field.classList.contains("field-bad")));
  }
  document.querySelector("#upload-errors [data-error-summary]")?.focus();
  tell("");
  return true;
}

function answered(request) {
  const next = request.getResponseHeader("HX-Redirect");
  if (next && request.status < 300) {
    location.assign(next);
    return;
  }
  under = false;
  going.hidden = true;
  stale = CLOSED.includes(request.status);
  if (stale) tell(OVER, true);
  else if (request.status === 413) tell(tooLarge(), true);
  else if (!refused(request.responseText)) tell(sentence(request), true);
}

function sentence(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  return page.querySelector("[data-conflict-line]")?.textContent
    ?? "It was not kept: a part of Cortex does not answer. Send it again in a moment.";
}

const tooLarge = () => `This file is too large: at most ${form.dataset.mostWords}. What you typed stays here.`;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  if (file && file.size > Number(form.dataset.most)) {
    tell(tooLarge(), true);
    form.elements.file.focus();
    return;
  }
  if (under) return;
  under = true;
  if (stale) await renew(); // who signs in again gets another token
  const request = new XMLHttpRequest();
  request.open("POST", location.pathname);
  request.setRequestHeader("HX-Request", "true");
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = total ? (100 * loaded) / total : 0;
    tell(loaded < total ? `${megabytes(loaded)} of ${megabytes(total)} MB` : "Sealing…");
  });
  request.addEventListener("load", () => answered(request));
  for (const name of ["error", "abort", "timeout"]) {
    request.addEventListener(name, () => { under = false; going.hidden = true; tell(LOST, true); });
  }
  going.hidden = false;
  bar.value = 0;
  tell("Sending…");
  request.send(new FormData(form));
});

addEventListener("beforeunload", (event) => { if (under && !going.hidden && bar.value < 100) event.preventDefault(); });
