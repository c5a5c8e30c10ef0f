/* A measure by keyboard and one hand: each answer is saved as it is given; a number key answers and goes on.
   A question that is asked after certain answers only is shown when they were given. */

import { post } from "../lib/post.js";
import { say } from "../lib/say.js";

const form = document.querySelector("form.ask");
const saved = document.querySelector("#saved");
let queue = Promise.resolve();
let under = 0;

async function keep(item, value) {
  const answer = await post(form.dataset.answer, { item, value });
  if (!answer.ok) throw new Error(String(answer.status));
  saved.textContent = `${(await answer.json()).saved} saved`;
}

/* One after another: the last answer given is the last one kept. */
function save(item, value) {
  if (!form.dataset.answer) return; // a correction is sent whole
  saved.textContent = "Saving…";
  under += 1;
  queue = queue.then(() => keep(item, value)).catch(() => {
    saved.textContent = "Not saved. The answers stay on this page: finish, or try again.";
    say(saved.textContent);
  }).finally(() => { under -= 1; });
}

function isChosen(item, value) {
  return form.querySelector(`[data-item="${item}"] input[value="${value}"]`)?.checked ?? false;
}

/* What is not asked loses its answer, here and in what is kept, and is not sent. */
function showAsked() {
  for (const question of form.querySelectorAll("[data-asked-if]")) {
    const asked = question.dataset.askedIf.split(" ").every((one) => isChosen(...one.split("=")));
    const given = question.querySelector("input:checked");
    question.hidden = question.disabled = !asked;
    if (asked || !given) continue;
    given.checked = false;
    save(question.dataset.item, "");
  }
}

form?.addEventListener("change", (event) => {
  const question = event.target.closest("[data-item]");
  if (!question || event.target.type !== "radio") return;
  save(question.dataset.item, event.target.value);
  showAsked();
});

/* The browser's own form sends everything; while an answer is under way it waits for it. */
form?.addEventListener("submit", (event) => {
  if (!under) return;
  event.preventDefault();
  const button = event.submitter;
  queue.then(() => setTimeout(() => form.requestSubmit(button)));
});

if (form) showAsked();

/* A number key answers the question that has the focus: after Begin that is the first one that is open. */
const open = [...form?.querySelectorAll("[data-item]:not([hidden])") ?? []]
  .find((one) => !one.querySelector("input:checked"))?.querySelector('input[type="radio"]');
if (document.activeElement === document.body && !document.querySelector("[data-error-summary]")) open?.focus();

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
  let next = question.nextElementSibling;
  while (next?.hidden) next = next.nextElementSibling;
  (next?.querySelector('input[type="radio"]') ?? form.querySelector("[type=submit]")).focus();
}, true);
