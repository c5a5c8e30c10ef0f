/* The rows of one section of a safety plan's form: added, moved, taken out, read and filled. */

import { say } from "../lib/say.js";

const MOST = 12;
const words = (row) => row.querySelector("textarea");
const contact = (row) => row.querySelector("[name$='_contact']");
const rowsOf = (block) => [...block.querySelectorAll("[data-row]")];

/* Names, labels and buttons follow the order of the rows: what is sent is what is seen. */
function number(block) {
  const rows = rowsOf(block);
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

function put(row, [text, beside]) {
  words(row).value = text;
  contact(row).value = beside;
}

function grow(block) {
  const rows = block.querySelector("[data-rows]");
  const fresh = rows.lastElementChild.cloneNode(true);
  put(fresh, ["", ""]);
  rows.append(fresh);
  return fresh;
}

export function add(block) {
  const fresh = grow(block);
  number(block);
  words(fresh).focus();
}

export function takeOut(block, row) {
  const rows = rowsOf(block);
  const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
  if (next) row.remove();
  else put(row, ["", ""]);
  number(block);
  words(next ?? row).focus();
  say("Line taken out.");
}

export function move(block, row, up) {
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (up) other.before(row);
  else other.after(row);
  const at = number(block).indexOf(row);
  row.querySelector(`[value^="${up ? "up" : "down"}:"]`).focus();
  say(`Now line ${at + 1}.`);
}

/* The lines that hold something, each as its words and what stands beside them. */
export const read = (block) =>
  rowsOf(block).map((row) => [words(row).value, contact(row).value]).filter((line) => line.some((one) => one.trim()));

export function fill(block, lines) {
  while (rowsOf(block).length < lines.length) grow(block);
  number(block).forEach((row, at) => put(row, lines[at] ?? ["", ""]));
}
