"""The page of an organization's people: unlock, invite, renew and revoke."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cortex.access.declare import requires
from cortex.accounts import queries
from cortex.accounts.appointments import MAY_APPOINT
from cortex.accounts.factors.queries import with_factor
from cortex.accounts.forms import InviteForm
from cortex.accounts.invitations import actions as invitations
from cortex.accounts.invitations.queries import open_invitations
from cortex.accounts.mail.actions import queue_mail
from cortex.accounts.mail.models import MailKind
from cortex.accounts.models import Invitation, Role
from cortex.accounts.signin.actions import unlock_account
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.accounts.views import person
from cortex.audit import actor_of
from cortex.clock import steady_now
from cortex.ui.pages import go_to, page_of

LEADERS = (Role.SUPERVISOR, Role.ADMIN)


@requires(*LEADERS)
@never_cache
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """List the people of one's own organization and the invitations that wait."""
    return _page(request, InviteForm(roles=_roles(request)))


@requires(*LEADERS)
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Invite a person and have the link mailed."""
    form = InviteForm(request.POST, roles=_roles(request))
    if not form.is_valid():
        return _page(request, form)
    ask_again_unless_recent(request, "Invite a colleague")
    actor = actor_of(request)
    made = invitations.invite_person(
        actor=actor,
        organization_id=person(request).organization_id,
        **form.cleaned_data,  # type: ignore[arg-type]
    )
    return _mailed(request, made)


@requires(*LEADERS)
@require_POST
def renew(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Give an invitation another week, and mail its new link."""
    ask_again_unless_recent(request, "Renew an invitation")
    return _mailed(
        request, invitations.renew_invitation(actor=actor_of(request), invitation_id=invitation_id)
    )


@requires(*LEADERS)
@require_POST
def revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation."""
    invitations.revoke_invitation(actor=actor_of(request), invitation_id=invitation_id)
    messages.success(request, "The invitation is withdrawn.")
    return go_to(request, reverse("accounts:staff_list"))


@requires(*LEADERS)
@require_POST
def unlock(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Let a locked-out person sign in again at once."""
    unlock_account(actor=actor_of(request), user_id=user_id)
    messages.success(request, "Unlocked. They can sign in now.")
    return go_to(request, reverse("accounts:staff_list"))


def _roles(request: HttpRequest) -> frozenset[Role]:
    return MAY_APPOINT.get(actor_of(request).role, frozenset())


def _mailed(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    queue_mail(kind=MailKind.INVITATION, about=invitation.pk, base_url=request.build_absolute_uri("/"))
    messages.success(request, "The invitation is on its way by e-mail.")
    return go_to(request, reverse("accounts:staff_list"))


def _page(request: HttpRequest, form: InviteForm) -> HttpResponse:
    now = steady_now()
    org_ids = actor_of(request).org_ids
    people = page_of(queries.staff_of(org_ids), request.GET.get("page"))
    may_reset = _roles(request)
    context = {
        "people": people,
        "with_factor": with_factor(one.pk for one in people),
        "may_reset": {one.pk for one in people if one.role in may_reset and one.pk != request.user.pk},
        "invitations": open_invitations(org_ids, now),
        "form": form,
    }
    return render(request, "accounts/staff.html", context, status=422 if form.errors else 200)
