// A file that was just made: its download begins once, and a reload of the page begins none.
const link = document.querySelector("[data-download]");
const here = new URL(location.href);
if (link && here.searchParams.has("made")) {
  here.searchParams.delete("made");
  history.replaceState(history.state, "", here);
  link.click();
}
