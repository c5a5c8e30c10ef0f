"""The commands on an alert as pages show them: label, key, form and the action behind each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from cortex.accounts.models import User
from cortex.audit.actors import Actor
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.alerts.queries import held_by
from crisis.alerts.states import Move, offers
from crisis.casework import actions as casework
from crisis.casework import forms as fields
from crisis.endings import actions as endings
from crisis.ownership import actions as ownership
from crisis.reopening import actions as reopening

Run = Callable[[Actor, UUID, dict[str, Any], forms.Form], RiskAlert]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a person may do with an alert."""

    code: str
    # None is no move: whatever the state of an open alert, and whoever sees it.
    move: Move | None
    label: str
    icon: str
    run: Run
    form: type[forms.Form] | None = None
    key: str = ""
    style: str = ""
    more: bool = False
    submit: str = ""
    # The form for an alert about nobody, where it is another one.
    plain: type[forms.Form] | None = None

    def form_for(self, about_nobody: bool) -> type[forms.Form] | None:
        """Return the class of its form."""
        return self.plain if about_nobody and self.plain else self.form

    @property
    def url_name(self) -> str:
        """Return the name of its address."""
        return f"crisis:alert_{self.code}"


def _claim(actor: Actor, alert_id: UUID, data: dict[str, Any], form: forms.Form) -> RiskAlert:
    return ownership.claim_alert(actor=actor, alert_id=alert_id)


def _reason(action: Callable[..., RiskAlert]) -> Run:
    return lambda actor, alert_id, data, form: action(actor=actor, alert_id=alert_id, reason=data["reason"])


def _note(action: Callable[..., RiskAlert]) -> Run:
    return lambda actor, alert_id, data, form: action(actor=actor, alert_id=alert_id, **data)


def _ending(action: Callable[..., RiskAlert]) -> Run:
    return lambda actor, alert_id, data, form: action(
        actor=actor,
        alert_id=alert_id,
        ending=form.ending(),  # type: ignore[attr-defined]
        seen=data["seen"],
    )


COMMANDS: tuple[Command, ...] = (
    Command("claim", Move.CLAIM, "Claim", "user-check", _claim, key="c", style="p"),
    Command(
        "contact",
        Move.CONTACT,
        "Contact made",
        "phone-call",
        _note(casework.log_contact),
        fields.ContactForm,
        key="n",
        style="p",
        submit="Log contact",
    ),
    Command(
        "attempt",
        Move.ATTEMPT,
        "No answer",
        "phone",
        _note(casework.log_attempt),
        fields.ContactForm,
        key="a",
        submit="Log the attempt",
    ),
    Command(
        "still_with",
        Move.STILL_WITH,
        "Still with them",
        "heart-handshake",
        lambda actor, alert_id, data, form: casework.still_with_them(
            actor=actor, alert_id=alert_id, also=True
        ),
        key="w",
    ),
    Command(
        "contact_end",
        Move.CONTACT_END,
        "Contact ended",
        "eye",
        _note(casework.end_contact),
        fields.NoteForm,
        submit="Keep watching",
    ),
    Command(
        "escalate",
        Move.ESCALATE,
        "Escalate",
        "arrow-up-right",
        _reason(ownership.escalate_alert),
        fields.ReasonForm,
        key="e",
        style="esc",
        submit="Escalate now",
    ),
    Command(
        "resolve",
        Move.RESOLVE,
        "Resolve",
        "check",
        _ending(endings.resolve_alert),
        fields.ResolveForm,
        key="r",
        submit="Resolve",
        plain=fields.IncidentForm,
    ),
    Command(
        "note",
        None,
        "Add note",
        "notes",
        _note(casework.add_note),
        fields.PlainNoteForm,
        more=True,
    ),
    Command(
        "take_over",
        Move.TAKE_OVER,
        "Take over",
        "user-check",
        _reason(ownership.take_over_alert),
        fields.ReasonForm,
    ),
    Command(
        "release",
        Move.RELEASE,
        "Give back",
        "arrow-back-up",
        _reason(ownership.release_alert),
        fields.ReasonForm,
        more=True,
    ),
    Command(
        "false_alarm",
        Move.FALSE_ALARM,
        "False alarm",
        "x",
        _ending(endings.mark_false_alarm),
        fields.FalseAlarmForm,
        more=True,
    ),
    Command("reopen", Move.REOPEN, "Reopen", "refresh", _reason(reopening.reopen_alert), fields.ReasonForm),
)
BY_CODE = {command.code: command for command in COMMANDS}


def names_of(alerts: Iterable[RiskAlert]) -> str:
    """Return in words which alerts of a person these are: "Medical (high), Safeguarding (critical)"."""
    return ", ".join(f"{one.get_kind_display()} ({one.get_level_display().lower()})" for one in alerts)


def offered(user: User, alert: RiskAlert) -> list[Command]:
    """Return the commands that the state and the owner allow this person."""
    moves = set(offers(alert.status, is_owner=alert.assigned_to_id == user.pk))
    may = alert.is_open
    return [command for command in COMMANDS if (may if command.move is None else command.move in moves)]


def shown(
    command: Command,
    alert: RiskAlert,
    form: forms.Form | None = None,
    seen: int = 0,
    beside: Sequence[RiskAlert] = (),
) -> dict[str, Any]:
    """Return a command as templates draw it, with an empty form, drawn at `seen`, when it needs one.

    `beside` are the person's other open alerts: an entry says on which of them it will stand.
    """
    chosen = command.form_for(alert.patient_id is None)
    if form is None and chosen is not None:
        form = chosen(auto_id=f"{command.code}_%s", initial={"seen": seen})
    if isinstance(form, fields.NoteForm) and command.move is not None:
        form.say_for(names_of(held_by(alert.assigned_to_id, beside, command.move)))
    if isinstance(form, fields.ResolveForm):
        form.propose(zone_of(alert.organization.default_timezone))
    return {
        "code": command.code,
        "label": command.label,
        "icon": command.icon,
        "key": command.key,
        "style": command.style,
        "more": command.more,
        "submit": command.submit,
        "form": form,
        "needs_form": command.form is not None,
        "url": reverse(command.url_name, args=[alert.pk]),
    }
