/* The list under the field of codes (ARIA combobox): arrows move, Enter takes, Escape closes. Without it the
   form's own buttons find and choose. */

import { post } from "../lib/post.js";
import { say } from "../lib/say.js";

const form = document.querySelector("form[data-codes]");
const field = form.elements.code;
const list = document.querySelector("#code-list");
const said = document.querySelector("#code-said");
const WAIT = 120;
let timer = 0;
let asked = 0;
let at = -1;

field.setAttribute("role", "combobox");
field.setAttribute("aria-autocomplete", "list");
field.setAttribute("aria-controls", list.id);
field.setAttribute("aria-expanded", "false");
field.setAttribute("aria-describedby", "code-hint code-said");

/* Enter in a closed list records; without this script it searches. */
form.querySelector("[data-default]").name = "save";

const options = () => [...list.children];
const isOpen = () => !list.hidden;

function close() {
  list.hidden = true;
  at = -1;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function mark(index) {
  const rows = options();
  if (!rows.length) return;
  at = (index + rows.length) % rows.length;
  rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === at)));
  rows[at].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", rows[at].id);
}

function take(row) {
  field.value = row.dataset.code;
  said.textContent = `${row.dataset.code} ${row.dataset.title}`;
  say(`Chosen: ${said.textContent}`);
  close();
  field.focus();
}

function option(one, number) {
  const row = document.createElement("li");
  Object.assign(row, { id: `code-${number}`, role: "option" });
  row.setAttribute("aria-selected", "false");
  Object.assign(row.dataset, one);
  const code = document.createElement("span");
  code.className = "mono";
  code.textContent = one.code;
  const title = document.createElement("span");
  title.textContent = one.title;
  row.append(code, title);
  return row;
}

/* Only the newest question's answer is shown: answers may come in another order. */
async function find() {
  const q = field.value.trim();
  const number = ++asked;
  if (q.length < 2) { close(); return; }
  try {
    const answer = await post(form.dataset.codes, { q });
    if (!answer.ok) throw new Error(String(answer.status));
    const { codes } = await answer.json();
    if (number !== asked || document.activeElement !== field) return;
    list.replaceChildren(...codes.map(option));
    at = -1;
    list.hidden = codes.length === 0;
    field.setAttribute("aria-expanded", String(codes.length > 0));
    field.removeAttribute("aria-activedescendant");
    said.textContent = codes.length ? "" : "No billable code holds all of that. Try fewer words.";
    say(codes.length ? `${codes.length} codes` : said.textContent);
  } catch {
    said.textContent = "The search does not answer. Type the whole code, or try again.";
    say(said.textContent);
  }
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(find, WAIT);
});

field.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (isOpen()) mark(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1));
    else find();
  } else if (event.key === "Enter" && isOpen()) {
    event.preventDefault();
    take(options()[Math.max(at, 0)]);
  } else if (event.key === "Escape" && isOpen()) {
    event.preventDefault();
    close();
  }
});

/* Pressing moves the focus before a click arrives; a list that closed by then would swallow it. */
list.addEventListener("mousedown", (event) => {
  event.preventDefault();
  const row = event.target.closest("[role=option]");
  if (row) take(row);
});
field.addEventListener("blur", close);
