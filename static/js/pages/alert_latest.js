/* Brings an alert's page up to date in place. What was typed into its forms goes along: it is held by this page's
   own memory alone, never by the browser's storage. */
import { scan } from '../lib/clocks.js';

const main = document.getElementById('main');
const forms = (root) => [...root.querySelectorAll('#main form, dialog.dlg[id^="dlg-"] form')];
const sameAs = (form, root) => forms(root).find((one) => one.getAttribute('action') === form.getAttribute('action'));
const isMark = (field) => field.type === 'checkbox' || field.type === 'radio';

function isChanged(field) {
  if (isMark(field)) return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
}

/* A form that the server gave back holds what was typed as if it had come with it. */
function typed(form) {
  const own = [...form.elements].filter((one) => one.name && one.type !== 'hidden' && one.matches('input, select, textarea'));
  return form.querySelector('[data-error-summary]') ? own : own.filter(isChanged);
}

/* Puts what was typed into the fresh form; returns whether all of it has a place there. */
function carry(fields, fresh) {
  return fields.every((field) => {
    const twin = [...(fresh?.elements ?? [])].find((one) => one.name === field.name && (!isMark(field) || one.value === field.value));
    if (!twin) return false;
    if (isMark(field)) twin.checked = field.checked; else twin.value = field.value;
    return isMark(field) || twin.value === field.value;
  });
}

/* A form that is not offered any more stays with its words; sending it is refused and takes none of them. */
function keep(form) {
  const [card, words] = [document.createElement('section'), document.createElement('p')];
  card.className = 'card narrow mb-3';
  Object.assign(words, { className: 'card-b sb', textContent: 'The form that you wrote in is not offered any more. Your words are kept here.' });
  card.append(words, form);
  return card;
}

async function fetched() {
  const answer = await fetch(location.href, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(15_000) });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (!page.querySelector('.case')) throw new Error('not the alert'); // covered, signed out, or not ours any more
  return page;
}

/* Shows the alert as it is now; throws when it doesn't come, and has changed nothing then. */
export async function latest() {
  const page = await fetched();
  const left = forms(document).filter((form) => {
    const words = typed(form);
    return form.closest('dialog')?.open || (words.length && !carry(words, sameAs(form, page)));
  });
  const orphans = left.filter((form) => !form.closest('dialog')).map(keep);
  document.querySelectorAll('dialog.dlg[id^="dlg-"]').forEach((dialog) => left.includes(dialog.querySelector('form')) || dialog.remove());
  const dialogs = [...page.querySelectorAll('dialog.dlg[id^="dlg-"]')].filter((one) => !document.getElementById(one.id));
  main.replaceChildren(...orphans, ...page.getElementById('main').childNodes);
  document.body.append(...dialogs);
  ['topics', 'waiting'].forEach((name) => { document.body.dataset[name] = page.body.dataset[name]; });
  [main, ...dialogs].forEach((root) => { window.htmx.process(root); scan(root); });
  main.focus();
}
