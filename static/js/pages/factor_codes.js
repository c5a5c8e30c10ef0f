/* Copies the recovery codes; without the clipboard they are marked, to be copied by hand. */
const codes = document.querySelector('[data-codes]');
const button = document.querySelector('[data-copy]');
const said = document.querySelector('[data-copied]');

button.hidden = false;
button.addEventListener('click', async () => {
  codes.select();
  try {
    await navigator.clipboard.writeText(codes.value);
    said.textContent = 'Copied. Paste them where you keep secrets.';
  } catch {
    said.textContent = 'Marked. Copy them with your keyboard.';
  }
});
