/* Filters apply as soon as they change; their button is for browsers without JavaScript. The page that comes gives
   the focus back to the control that changed: its place in the form stands behind # on the way, and is taken away. */
const PLACE = /^#changed-(\d+)$/;

let typed = null; // the control into which the last key went
let changed = null;
document.addEventListener('keydown', (e) => { typed = e.target; });
document.addEventListener('pointerdown', () => { typed = null; });
document.addEventListener('change', ({ target }) => {
  const form = target.closest('form[data-filter]');
  if (!form) return;
  changed = target;
  // A day that is typed changes with each of its figures: Enter, or leaving it, says that it is whole.
  if (target.type === 'date' && target === typed) target.onblur = () => form.requestSubmit();
  else form.requestSubmit();
});
document.addEventListener('submit', ({ target }) => {
  if (target.matches('form[data-filter]') && changed) target.action = `#changed-${[...target.elements].indexOf(changed)}`;
});

const place = PLACE.exec(location.hash);
if (place) {
  document.querySelector('form[data-filter]')?.elements[place[1]]?.focus();
  history.replaceState(history.state, '', location.pathname + location.search);
}
