/* Adds, moves and takes out lines in the page; without it the same buttons ask the server. Warns of unsaved words. */

import { say } from "../lib/say.js";

const MOST = 12;
const form = document.querySelector("#safety");
let changed = Boolean(document.querySelector(".sp-both, [data-error-summary], .conflict"));

const words = (row) => row.querySelector("textarea");

/* Names, labels and buttons follow the order of the rows: what is sent is what is seen. */
function number(block) {
  const rows = [...block.querySelectorAll("[data-row]")];
  const key = block.dataset.block;
  rows.forEach((row, at) => {
    for (const field of row.querySelectorAll("textarea, input:not([type=hidden])")) {
      const label = row.querySelector(`label[for="${field.id}"]`);
      field.id = `sp_${key}_${at}${field.matches("input") ? "_c" : ""}`;
      label.htmlFor = field.id;
      label.textContent = label.textContent.replace(/\d+$/, String(at + 1));
    }
    for (const button of row.querySelectorAll("[name=arrange]")) {
      button.value = `${button.value.split(":")[0]}:${key}:${at}`;
      const said = button.querySelector(".vh");
      said.textContent = said.textContent.replace(/\d+$/, String(at + 1));
    }
  });
  block.querySelector("[value^='more:']").disabled = rows.length >= MOST;
  return rows;
}

function add(block) {
  const rows = block.querySelector("[data-rows]");
  const fresh = rows.lastElementChild.cloneNode(true);
  for (const field of fresh.querySelectorAll("textarea, input")) field.value = "";
  rows.append(fresh);
  number(block);
  words(fresh).focus();
}

function take(block, row) {
  const rows = [...block.querySelectorAll("[data-row]")];
  const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
  if (next) row.remove();
  else for (const field of row.querySelectorAll("textarea, input")) field.value = "";
  number(block);
  words(next ?? row).focus();
  say("Line taken out.");
}

function move(block, row, up) {
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (up) other.before(row);
  else other.after(row);
  const at = number(block).indexOf(row);
  row.querySelector(`[value^="${up ? "up" : "down"}:"]`).focus();
  say(`Now line ${at + 1}.`);
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[name=arrange]");
  if (!button) return;
  event.preventDefault();
  const block = button.closest("[data-block]");
  const row = button.closest("[data-row]");
  const what = button.value.split(":")[0];
  changed = true;
  if (what === "more") add(block);
  else if (what === "out") take(block, row);
  else move(block, row, what === "up");
});

form.addEventListener("input", () => { changed = true; });
form.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});
