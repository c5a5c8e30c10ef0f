"""The pages of one's own account: name, look, password, PIN, sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from cortex.access.declare import requires_any_staff
from cortex.accounts import actions
from cortex.accounts.factors.queries import codes_left, factors_of
from cortex.accounts.factors.required import is_required
from cortex.accounts.forms import NameForm, PasswordForm, PinForm, PreferencesForm, ThemeForm
from cortex.accounts.models import User
from cortex.accounts.queries import user_by_id
from cortex.accounts.sessions.actions import move_session
from cortex.accounts.sessions.queries import own_sessions
from cortex.audit import actor_of
from cortex.clock import steady_now
from cortex.ui.pages import go_to, is_partial


def person(request: HttpRequest) -> User:
    """Return the signed-in person."""
    assert isinstance(request.user, User)  # noqa: S101 (declared access lets nobody else in)
    return request.user


def back(request: HttpRequest, otherwise: str) -> str:
    """Return the page that a form names as `next` when it is one of ours, else `otherwise`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else otherwise


@requires_any_staff
@never_cache
@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Show one's own account and sessions."""
    return _page(request)


@requires_any_staff
@require_POST
def name(request: HttpRequest) -> HttpResponse:
    """Change one's own name."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _page(request, name_form=form)
    actions.update_user(actor=actor_of(request), user_id=person(request).pk, **form.cleaned_data)
    return _saved(request, "Your name is saved.")


@requires_any_staff
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme with the account, so that the server renders it."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    actions.set_preferences(user_id=person(request).pk, theme=form.cleaned_data["theme"])
    if is_partial(request):
        return HttpResponse(status=204)
    return go_to(request, back(request, reverse("accounts:me")))


@requires_any_staff
@require_POST
def privacy(request: HttpRequest) -> HttpResponse:
    """Blur what identifies people, or show it again; kept with the session, so that the server renders it."""
    request.session["privacy"] = request.POST.get("on") == "1"
    if is_partial(request):
        return HttpResponse(status=204)
    return go_to(request, back(request, reverse("accounts:me")))


@requires_any_staff
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep theme, shortcuts and sound."""
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _page(request, preferences_form=form)
    actions.set_preferences(user_id=person(request).pk, **form.cleaned_data)
    return _saved(request, "Your preferences are saved.")


@sensitive_post_parameters("current", "new", "again")
@requires_any_staff
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; all other sessions end."""
    form = PasswordForm(
        request.POST, user=person(request), reauthenticate=get_adapter(request).reauthenticate
    )
    if not form.is_valid():
        return _page(request, password_form=form)
    changed = actions.set_password(
        actor=actor_of(request),
        user_id=person(request).pk,
        password=form.cleaned_data["new"],
        how="change",
        spare=request.session.session_key or "",
    )
    keep_session(request, changed)
    return _saved(request, "Your password is changed. Your other sessions have ended.")


@sensitive_post_parameters("current", "pin")
@requires_any_staff
@require_POST
def pin(request: HttpRequest) -> HttpResponse:
    """Set the PIN that uncovers the board."""
    form = PinForm(request.POST, user=person(request), reauthenticate=get_adapter(request).reauthenticate)
    if not form.is_valid():
        return _page(request, pin_form=form)
    actions.set_pin(actor=actor_of(request), user_id=person(request).pk, pin=form.cleaned_data["pin"])
    return _saved(request, "Your PIN is set.")


def keep_session(request: HttpRequest, user: User) -> None:
    """Give the current session a new key that knows the new password, and carry its clocks over."""
    before = request.session.session_key or ""
    update_session_auth_hash(request, user)
    move_session(from_key=before, to_key=request.session.session_key or "")


def _saved(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return go_to(request, reverse("accounts:me"))


def _page(request: HttpRequest, **bound: forms.Form) -> HttpResponse:
    user = user_by_id(person(request).pk) or person(request)
    chosen = {"theme": user.theme, "shortcuts": True, "sound": True} | user.preferences
    context: dict[str, Any] = {
        "name_form": NameForm(initial={"full_name": user.full_name}),
        "preferences_form": PreferencesForm(initial=chosen),
        "password_form": PasswordForm(user=user),
        "pin_form": PinForm(user=user),
        "person": user,
        "factors": factors_of(user.pk),
        "codes_left": codes_left(user.pk),
        "factor_required": is_required(user),
        "sessions": own_sessions(user.pk, current_key=request.session.session_key or "", at=steady_now()),
    }
    return render(request, "accounts/me.html", context | bound, status=422 if bound else 200)
