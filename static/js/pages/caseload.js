/* The caseload by keyboard: J and K move, Enter opens, / finds. Nothing moves by itself. */

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

function names() {
  return [...document.querySelectorAll(".cl-row .q-name")];
}

function move(step) {
  const rows = names();
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") {
    event.preventDefault();
    document.querySelector("#q")?.focus();
  }
});
