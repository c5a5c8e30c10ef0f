/* The review of emotions by keyboard: J and K move, C confirms, X rejects, E goes to the correction. */

import { keys } from "../lib/keys.js";

const rows = () => [...document.querySelectorAll("[data-emotion]:has([data-verdict])")];
const current = () => document.activeElement?.closest?.("[data-emotion]");

function move(step) {
  const all = rows();
  const at = all.indexOf(current());
  all[Math.min(Math.max(at + step, 0), all.length - 1)]?.querySelector("[data-verdict]")?.focus();
}

function press(verdict) {
  const control = current()?.querySelector(`[data-verdict="${verdict}"]`);
  if (control?.tagName === "SELECT") control.focus();
  else control?.click();
}

keys({
  j: () => move(1),
  k: () => move(-1),
  c: () => press("c"),
  x: () => press("x"),
  e: () => press("e"),
});
