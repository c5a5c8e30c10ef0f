/* A session by keyboard: Ctrl and Enter log what was typed; R opens the risk assessment. */

import { keys } from "../lib/keys.js";

const entry = document.querySelector("#entry");

entry?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    entry.requestSubmit();
  }
});

keys({});
