/* Puts a text into a field as if it were typed, so that the browser's own undo takes back exactly that. */

/* From `start` to `end` of the field stands `text` afterwards; the field has the focus, and its listeners hear it. */
export function insertInto(field, text, start, end) {
  field.blur(); // what was typed there before is a step of its own
  field.focus();
  field.setSelectionRange(start, end);
  if (start === end && !text) return;
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, start, end, "end"); // a browser without it: nothing to undo, but nothing is lost
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
