"""The doors of an invited person: the mailed link, and the page where they choose password and PIN."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from cortex.access.declare import public
from cortex.accounts.forms import AcceptForm
from cortex.accounts.invitations import actions, links, queries
from cortex.accounts.models import Invitation
from cortex.accounts.signin.devices import visitor
from cortex.accounts.signin.status import status_lines
from cortex.clock import steady_now

KEPT = "accounts_invitation"


@public("a mailed link, proven by its token")
@never_cache
@require_GET
def open_link(request: HttpRequest, invitation_id: UUID, token: str) -> HttpResponse:
    """Keep the link's token in the session and go on without it, so that no address bar or log shows it."""
    request.session[KEPT] = [str(invitation_id), token]
    return redirect("accounts:invitation_accept")


@sensitive_post_parameters("password", "again", "pin")
@public("an invited person has no account yet")
@never_cache
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Let the invited person choose name, password and PIN; then they sign in."""
    found = _invitation(request)
    if found is None:
        return _render(request, None, None, status=410)
    initial = {"full_name": found.full_name}
    form = AcceptForm(request.POST or None, email=found.email, initial=initial)
    if not form.is_valid():
        return _render(request, found, form, status=422 if form.is_bound else 200)
    chosen = {name: form.cleaned_data[name] for name in ("full_name", "password", "pin")}
    guest = visitor(request, found.organization_id)
    actions.accept_invitation(actor=guest, invitation_id=found.pk, **chosen)
    request.session.pop(KEPT, None)
    messages.success(request, "Your account is ready. Sign in with your e-mail and password.")
    return redirect("account_login")


def _invitation(request: HttpRequest) -> Invitation | None:
    identifier, token = request.session.get(KEPT, ["", ""])
    found = queries.invitation(identifier) if identifier else None
    is_good = found is not None and found.is_open(steady_now()) and links.is_token(found, token)
    return found if is_good else None


def _render(
    request: HttpRequest, invitation: Invitation | None, form: AcceptForm | None, *, status: int
) -> HttpResponse:
    context = {"invitation": invitation, "form": form, "status": status_lines()}
    return render(request, "accounts/invitation.html", context, status=status)
