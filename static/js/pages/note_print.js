/* The button that prints; without it the browser's own does. */
const button = document.querySelector("#print");
button.hidden = false;
button.addEventListener("click", () => print());
