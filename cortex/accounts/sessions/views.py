"""The doors of live sessions: real input, the cover, the PIN, ending one's own sessions."""

from __future__ import annotations

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views import csrf
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cortex.access.declare import requires_any_staff
from cortex.accounts.factors.gate import open_without_factor
from cortex.accounts.forms import UnlockForm
from cortex.accounts.limits import is_covered, may_cover, open_while_covered
from cortex.accounts.sessions import actions, queries
from cortex.accounts.views import back, person
from cortex.audit import NotFound, actor_of
from cortex.ui.pages import go_to, is_partial


def _key(request: HttpRequest) -> str:
    return request.session.session_key or ""


@requires_any_staff
@require_POST
def active(request: HttpRequest) -> HttpResponse:
    """Note real input; the page sends this at most once a minute."""
    actions.note_input(session_key=_key(request))
    return HttpResponse(status=204)


@open_while_covered
@requires_any_staff
@never_cache
@require_GET
def again(request: HttpRequest) -> HttpResponse:
    """Tell an open page whose session this is by now, and its token: a sign-in in any tab gives another."""
    found = {"me": str(person(request).pk), "token": get_token(request), "covered": is_covered(request)}
    return JsonResponse(found)


def token_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a command whose token is another session's; the header tells scripts that nothing was done."""
    answer = csrf.csrf_failure(request, reason)
    answer["X-Token"] = "stale"
    return answer


@open_without_factor
@open_while_covered
@requires_any_staff
@never_cache
@require_http_methods(["GET", "POST"])
def cover(request: HttpRequest) -> HttpResponse:
    """Show the cover; a POST puts it up now, or ends a session that shows no page of the desk (or no PIN)."""
    if request.method == "POST" and not is_covered(request):
        if not may_cover(request):
            actions.end_session(actor=actor_of(request), session_key=_key(request), why="idle")
            logout(request)
            return go_to(request, reverse("account_login"))
        actions.cover_session(actor=actor_of(request), session_key=_key(request))
        if is_partial(request):
            return HttpResponse(status=204)
        return go_to(request, reverse("accounts:cover"))
    if not is_covered(request):
        return go_to(request, back(request, "/"))
    return _page(request, UnlockForm())


@sensitive_post_parameters("pin")
@open_without_factor
@open_while_covered
@requires_any_staff
@never_cache
@require_POST
def unlock(request: HttpRequest) -> HttpResponse:
    """Take the cover off by the PIN; the fifth wrong one ends the session."""
    form = UnlockForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    outcome = actions.uncover_session(
        actor=actor_of(request), session_key=_key(request), pin=form.cleaned_data["pin"]
    )
    if outcome == "ended":
        logout(request)
        return go_to(request, reverse("account_login"))
    if outcome == "wrong":
        form.add_error("pin", "That PIN is not right.")
        return _page(request, form)
    return HttpResponse(status=204) if is_partial(request) else go_to(request, back(request, "/"))


@requires_any_staff
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions by its number in the list, or all others."""
    chosen = request.POST.get("session", "")
    if chosen == "others":
        actions.end_sessions_of(
            actor=actor_of(request), user_id=person(request).pk, why="own_list", spare=_key(request)
        )
        return go_to(request, reverse("accounts:me"))
    key = queries.key_of_own_session(person(request).pk, int(chosen)) if chosen.isdecimal() else None
    if key is None:
        raise NotFound("This session has ended already.", "no_such_session")
    actions.end_session(actor=actor_of(request), session_key=key, why="own_list")
    if key == _key(request):
        logout(request)
        return go_to(request, reverse("account_login"))
    return go_to(request, reverse("accounts:me"))


def _page(request: HttpRequest, form: UnlockForm) -> HttpResponse:
    template = "accounts/_unlock_form.html" if is_partial(request) else "accounts/cover.html"
    context = {"form": form, "next": back(request, "/")}
    return render(request, template, context, status=422 if form.errors else 200)
