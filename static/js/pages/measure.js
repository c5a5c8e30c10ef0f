/* A measure by keyboard and one hand: each answer is saved as it is given; a number key answers and goes on. */

import { say } from "../lib/say.js";

const form = document.querySelector("form[data-answer]");
const saved = document.querySelector("#saved");
const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
let queue = Promise.resolve();
let under = 0;

async function keep(item, value) {
  const body = new URLSearchParams({ item, value });
  const answer = await fetch(form.dataset.answer, {
    method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" },
  });
  if (!answer.ok) throw new Error(String(answer.status));
  saved.textContent = `${(await answer.json()).saved} saved`;
}

/* One after another: the last answer given is the last one kept. */
function save(item, value) {
  saved.textContent = "Saving…";
  under += 1;
  queue = queue.then(() => keep(item, value)).catch(() => {
    saved.textContent = "Not saved. The answers stay on this page: finish, or try again.";
    say(saved.textContent);
  }).finally(() => { under -= 1; });
}

form?.addEventListener("change", (event) => {
  const question = event.target.closest("[data-item]");
  if (question && event.target.type === "radio") save(question.dataset.item, event.target.value);
});

/* The browser's own form sends everything; while an answer is under way it waits for it. */
form?.addEventListener("submit", (event) => {
  if (!under) return;
  event.preventDefault();
  const button = event.submitter;
  queue.then(() => setTimeout(() => form.requestSubmit(button)));
});

/* What was chosen before this script ran is saved now. */
for (const radio of form?.querySelectorAll('input[type="radio"]:checked') ?? []) {
  if (!radio.defaultChecked) save(radio.closest("[data-item]").dataset.item, radio.value);
}

/* A digit is an answer here, also where it is none of this question's: no section of the chart opens by it. */
document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!form || !/^[0-9]$/.test(event.key) || event.target.closest?.("input:not([type=radio]), textarea")) return;
  event.preventDefault();
  const question = document.activeElement.closest?.("[data-item]");
  const radio = question?.querySelector(`input[type="radio"][value="${event.key}"]`);
  if (!radio) return;
  radio.click();
  const next = question.nextElementSibling?.querySelector?.('input[type="radio"]');
  (next ?? form.querySelector("[type=submit]")).focus();
}, true);
