/* The week by keyboard: J and K go through appointments, V takes one up, arrows move it by a quarter of an hour or
   a day, Enter puts it down, Escape leaves it where it was. The server decides, and says what is in the way. */

import { post } from "../lib/post.js";
import { say } from "../lib/say.js";

const QUARTER = 15;
let taken = null;

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
const shown = (node) => node.offsetParent !== null;
const chips = () => [...document.querySelectorAll(".ap")].filter(shown);
const two = (number) => String(number).padStart(2, "0");

function step(by) {
  const rows = chips();
  rows[Math.min(Math.max(rows.indexOf(document.activeElement) + by, 0), rows.length - 1)]?.focus();
}

/* Local day and time as plain numbers: the server alone knows what the clocks do there. */
function shifted(day, time, minutes) {
  const [year, month, date] = day.split("-").map(Number);
  const [hour, minute] = time.split(":").map(Number);
  const at = new Date(Date.UTC(year, month - 1, date, hour, minute + minutes));
  return {
    day: `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`,
    time: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`,
  };
}

function words(place) {
  const [year, month, date] = place.day.split("-").map(Number);
  const day = new Date(Date.UTC(year, month - 1, date));
  const name = day.toLocaleDateString("en", { weekday: "long", day: "numeric", month: "short", timeZone: "UTC" });
  return `${name}, ${place.time}`;
}

function take(chip) {
  const { day, time } = chip.dataset;
  const label = chip.querySelector(".ap-t");
  taken = { chip, label, was: [...label.childNodes], home: chip.parentElement, next: chip.nextSibling, day, time };
  chip.classList.add("ap-moving");
  say(`Moving ${chip.querySelector(".ap-n").textContent} from ${words(taken)}. Arrows move, Enter puts down.`);
}

function move(minutes) {
  Object.assign(taken, shifted(taken.day, taken.time, minutes));
  const cell = document.querySelector(`[data-cell="${taken.day} ${Number(taken.time.slice(0, 2))}"]`);
  (cell ?? taken.chip.parentElement).append(taken.chip);
  taken.label.textContent = words(taken);
  taken.chip.focus();
  say(words(taken));
}

function leave(told) {
  const { chip, label, was, home, next } = taken;
  label.replaceChildren(...was);
  home.insertBefore(chip, next);
  chip.classList.remove("ap-moving");
  chip.focus();
  taken = null;
  say(told, true);
}

async function put() {
  const { chip, day, time } = taken;
  if (taken.sent) return;
  taken.sent = true;
  try {
    const answer = await post(chip.dataset.move, { day, time, minutes: chip.dataset.minutes });
    const where = answer.headers.get("HX-Redirect");
    if (answer.ok && where) {
      const same = new URL(where, location.href);
      if (same.pathname + same.search === location.pathname + location.search) location.hash = same.hash;
      if (same.pathname + same.search !== location.pathname + location.search) location.assign(where);
      else location.reload();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.querySelector(".note p, .err")?.textContent.trim();
    leave(told || "It could not be moved. It stays where it was.");
    tell(told);
  } catch {
    leave("Cortex did not answer. It stays where it was.");
    tell("");
  }
}

function tell(text) {
  const note = document.querySelector("#told") ?? document.createElement("p");
  note.id = "told";
  note.className = "note note-warn mb-3";
  note.textContent = text || "It could not be moved. It stays where it was.";
  document.querySelector(".page-head").after(note);
}

const MOVES = { ArrowUp: -QUARTER, ArrowDown: QUARTER, ArrowLeft: -1440, ArrowRight: 1440 };

document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const chip = event.target.closest(".ap");
  if (taken) {
    if (event.key in MOVES) { event.preventDefault(); move(MOVES[event.key]); }
    else if (event.key === "Enter") { event.preventDefault(); put(); }
    else if (event.key === "Escape") leave("It stays where it was.");
  } else if (event.key === "v" && chip?.dataset.move) take(chip);
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "[" || event.key === "]") document.querySelector(`[aria-keyshortcuts="${event.key}"]`)?.click();
});

chips().find((one) => `#a-${one.dataset.id}` === location.hash)?.focus();
