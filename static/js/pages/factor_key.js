/* Asks the browser for a security key and posts its answer; the page says in words what went wrong. */
const form = document.querySelector('[data-key]');
const ask = form.querySelector('[data-key-ask]');
const say = form.querySelector('[data-key-say]');

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
const letters = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const listed = (found) => (found || []).map((one) => ({ ...one, id: bytes(one.id) }));

function forCreating(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  };
}

function forGetting(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) };
}

function answer(found) {
  const parts = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
  const response = {};
  for (const name of parts) if (found.response[name]) response[name] = letters(found.response[name]);
  return {
    id: found.id, rawId: letters(found.rawId), type: found.type, response,
    authenticatorAttachment: found.authenticatorAttachment || null,
    clientExtensionResults: found.getClientExtensionResults(),
  };
}

const WORDS = {
  NotAllowedError: 'Nothing came from the key. Try again, or choose another way.',
  InvalidStateError: 'This key is set up already.',
  SecurityError: 'This address can\'t use security keys: it needs https and a host name (or localhost).',
};

async function start(event) {
  event.preventDefault();
  ask.disabled = true;
  say.textContent = 'Waiting for your key.';
  try {
    const { publicKey } = JSON.parse(form.dataset.options);
    const found = form.dataset.key === 'create'
      ? await navigator.credentials.create({ publicKey: forCreating(publicKey) })
      : await navigator.credentials.get({ publicKey: forGetting(publicKey) });
    form.elements.credential.value = JSON.stringify(answer(found));
    form.submit();
  } catch (error) {
    say.textContent = WORDS[error.name] || 'The key could not be used. Choose another way.';
    ask.disabled = false;
  }
}

if (window.PublicKeyCredential) {
  ask.hidden = false;
  form.addEventListener('submit', start);
} else {
  say.textContent = 'This browser can\'t use security keys here. Choose another way.';
}
