"""Pages of second factors: the question at sign-in and in between, set-up, removal, codes, reset."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.views import BaseReauthenticateView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from cortex.access.declare import public, requires, requires_any_staff
from cortex.accounts.choices import Role
from cortex.accounts.factors import actions, qr, queries
from cortex.accounts.factors.codes import new_secret, open_secret, sealed
from cortex.accounts.factors.forms import AddAppForm, AddKeyForm, CodeForm, KeyForm, ResetForm, begin_key
from cortex.accounts.factors.gate import changes_factors, is_waiting, open_without_factor, pass_gate
from cortex.accounts.factors.standing import refuse_reset
from cortex.accounts.queries import user_by_id
from cortex.accounts.signin.recent import ask_again_unless_recent, asked_for
from cortex.accounts.signin.status import status_lines
from cortex.accounts.signin.views import WithStatus
from cortex.accounts.views import back, person
from cortex.audit import InputRefused, actor_of
from cortex.crypto.errors import KeyDestroyed
from cortex.ui.pages import go_to

# The secret of an app that is being set up waits in the session, sealed: sessions are rows of the database.
PENDING = "accounts_factor_pending"
LEADERS = (Role.SUPERVISOR, Role.ADMIN)


class ChallengeView(WithStatus, AuthenticateView):  # type: ignore[misc]
    """The second step of signing in: whoever stands here gave the right password and is nobody yet."""

    form_class = CodeForm
    webauthn_form_class = KeyForm
    template_name = "accounts/factors/challenge.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take a code or a key's answer, or let go of this sign-in for somebody else's."""
        if "leave" in request.POST:
            return self.stage.abort()  # type: ignore[no-any-return]
        return super().post(request, *args, **kwargs)  # type: ignore[no-any-return]

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """Answer 422, as every form here."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 422
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask a key only of whoever has one."""
        if queries.has_key(self.stage.login.user.pk):
            return super().get_context_data(**kwargs)
        self.webauthn_form = None
        context = super().get_context_data(**kwargs)
        context["form"].begin_here()
        return context


class ConfirmView(WithStatus, BaseReauthenticateView):  # type: ignore[misc]
    """Ask a signed-in person for a factor: before a step that weighs more, and where it was never given."""

    template_name = "accounts/factors/confirm.html"

    def get_form_class(self) -> type[forms.Form]:
        """Return the form that was sent: a key's answer, else a code."""
        return KeyForm if "credential" in self.request.POST else CodeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Say whose factor it must be."""
        return super().get_form_kwargs() | {"user": person(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        """Note it, open the gate, and go on with what waited."""
        form.note(again=True)
        pass_gate(self.request)
        return super().form_valid(form)  # type: ignore[no-any-return]

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """Answer 422, as every form here."""
        return self.render_to_response(self.get_context_data(form=form), status=422)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Give the page what both forms need, and say whether the gate is shut."""
        context = super().get_context_data(**kwargs)
        user = person(self.request)
        if not isinstance(context["form"], CodeForm):
            context |= {"key_form": context["form"], "form": CodeForm(user=user)}
        options = begin_key(user) if queries.has_key(user.pk) else None
        if options is None and not context["form"].is_bound:
            context["form"].begin_here()
        context |= {"is_waiting": is_waiting(self.request), "asked": asked_for(self.request)}
        return context | {"js_data": {"request_options": options}}


challenge = public("the second step of the way in, proven by the first")(
    never_cache(sensitive_post_parameters("code", "credential")(ChallengeView.as_view()))
)
confirm = open_without_factor(
    requires_any_staff(never_cache(sensitive_post_parameters("code", "credential")(ConfirmView.as_view())))
)


@open_without_factor
@requires_any_staff
@never_cache
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Say which factors there are to choose from, and why one must be set up."""
    user = person(request)
    return _entry(request, "overview", {"factors": queries.factors_of(user.pk)})


@sensitive_post_parameters("code")
@changes_factors("GET", "POST", set_up=True)
def app(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: show the secret once, take the code that it gives."""
    user = person(request)
    secret = _pending(request) if request.method == "POST" else ""
    if not secret:
        secret = new_secret()
        request.session[PENDING] = sealed(user.pk, secret)
        return _app_page(request, secret, AddAppForm())
    form = AddAppForm(request.POST)
    if form.is_valid():
        try:
            codes = actions.add_app(actor=actor_of(request), secret=secret, **form.cleaned_data)
        except InputRefused as refused:
            form.add_error("code", refused.message)
        else:
            del request.session[PENDING]
            return _added(request, codes, "Your authenticator app is set up.")
    return _app_page(request, secret, form)


def _pending(request: HttpRequest) -> str:
    """Return the secret that waits in the session; none when the version that sealed it has ended."""
    if PENDING not in request.session:
        return ""
    try:
        return open_secret(person(request).pk, request.session[PENDING])
    except KeyDestroyed:
        return ""


@changes_factors("GET", "POST", set_up=True)
def key(request: HttpRequest) -> HttpResponse:
    """Set up a security key or passkey; the browser's own dialogue does the rest."""
    user = person(request)
    form = AddKeyForm(request.POST or None, user=user)
    if form.is_valid():
        chosen = {"name": form.cleaned_data["name"], "credential": form.cleaned_data["credential"]}
        codes = actions.add_key(actor=actor_of(request), **chosen)
        return _added(request, codes, "Your security key is set up.")
    options = webauthn.begin_registration(user, passwordless=False)
    return _entry(request, "key", {"form": form, "js_data": {"creation_options": options}}, form)


@changes_factors("POST")
def codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them once."""
    return _codes_page(request, actions.renew_codes(actor=actor_of(request)))


@changes_factors("POST")
def remove(request: HttpRequest) -> HttpResponse:
    """Remove one of one's own factors by its number in the list."""
    chosen = request.POST.get("factor", "")
    number = int(chosen) if chosen.isdecimal() and len(chosen) < 16 else 0
    actions.remove_factor(actor=actor_of(request), factor_id=number)
    messages.success(request, "Removed. It opens nothing from now on.")
    return go_to(request, reverse("accounts:me"))


@requires(*LEADERS)
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take the factors of a colleague who can't use them, after saying why; they are told by mail."""
    actor = actor_of(request)
    colleague = refuse_reset(actor, user_by_id(user_id))
    ask_again_unless_recent(request, "Reset the second factors of a colleague")
    form = ResetForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "colleague": colleague, "factors": queries.factors_of(user_id)}
        return render(request, "accounts/factors/reset.html", context, status=422 if form.errors else 200)
    address = request.build_absolute_uri("/")
    if actions.reset_factors(actor=actor, user_id=user_id, base_url=address, **form.cleaned_data):
        messages.success(request, "Reset. They are signed out everywhere, and set up a new factor next time.")
    else:
        messages.info(request, "There was nothing to reset: they have no second factor any more.")
    return go_to(request, reverse("accounts:staff_list"))


def _added(request: HttpRequest, codes: list[str], sentence: str) -> HttpResponse:
    """Open the gate, and show new recovery codes; without new ones go on."""
    pass_gate(request)
    if codes:
        return _codes_page(request, codes)
    messages.success(request, sentence)
    return go_to(request, back(request, reverse("accounts:me")))


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return _entry(request, "codes", {"codes": codes})


def _app_page(request: HttpRequest, secret: str, form: AddAppForm) -> HttpResponse:
    user = person(request)
    link = get_adapter().build_totp_url(user, secret)
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    context = {"form": form, "qr": qr.drawn(link), "groups": groups, "link": link}
    context["replaced"] = [one.name for one in queries.factors_of(user.pk) if one.kind == "totp"]
    return _entry(request, "app", context, form)


def _entry(
    request: HttpRequest, name: str, context: dict[str, Any], form: forms.Form | None = None
) -> HttpResponse:
    """Render a page of set-up outside the frame, whose parts may all be shut; it remembers where to go."""
    more = {"status": status_lines(), "person": person(request), "is_waiting": is_waiting(request)}
    more["next"] = back(request, "")
    status = 422 if form is not None and form.errors else 200
    response = render(request, f"accounts/factors/{name}.html", context | more, status=status)
    response["Cache-Control"] = "no-store"
    return response
