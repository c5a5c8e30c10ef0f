"""What is typed into a search of the back office: it stays in the session, addresses carry a token for it."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from cortex.crypto.keys import DataKey

# The name of the field; an address never carries it.
TYPED = "find"
SESSION_KEY = "searches"
KEPT = 20
MARK = "~"
# A whole e-mail address or phone number: what must not stand in an address, whoever wrote it there.
IDENTIFIER = re.compile(r".*@.*|\+?[\d\s().-]{7,}")


def to_search(request: HttpRequest) -> HttpResponse:
    """Keep what was typed, and lead to the same list with its filters and a token in place of the words."""
    query = request.GET.copy()
    for name in (SEARCH_VAR, PAGE_VAR):
        query.pop(name, None)
    typed = request.POST[TYPED].strip()
    if "\x00" in typed:
        raise BadRequest("No column holds what is looked for.")
    if typed:
        query[SEARCH_VAR] = _keep(request, typed)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}", status=303)


def words_of(request: HttpRequest, asked: str) -> str:
    """Return the words that an address asks for: behind a token those that were typed, else its own."""
    if not asked.startswith(MARK):
        if not IDENTIFIER.fullmatch(asked):
            return asked
    elif asked in (kept := request.session.get(SESSION_KEY, {})):
        return _key(request).unseal(base64.b64decode(kept[asked]), asked.encode()).decode()
    messages.warning(request, "This search is over. Type what you look for into the field.")
    return ""


def _keep(request: HttpRequest, typed: str) -> str:
    token = MARK + secrets.token_urlsafe(9)
    sealed = base64.b64encode(_key(request).seal(typed.encode(), token.encode())).decode()
    kept = list(request.session.get(SESSION_KEY, {}).items())[1 - KEPT :]
    request.session[SESSION_KEY] = dict([*kept, (token, sealed)])
    return token


def _key(request: HttpRequest) -> DataKey:
    """Return the key that seals words in sessions: the table of sessions holds nobody's phone number."""
    material = hashlib.sha256(b"cortex.searches\x00" + settings.SECRET_KEY.encode()).digest()
    return DataKey(request.user.pk, 1, material)  # type: ignore[arg-type]
