"""What an organization may set about itself: one declared list with shapes and help texts; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.html import format_html, format_html_join

from cortex.accounts.choices import Role
from cortex.audit.rules import InputRefused

# A number or an extension, as people write them: "+254 (20) 700-100", "ext. 4400".
PHONE = re.compile(r"(?=.*[0-9])[\w +()/.,#*-]{1,40}")


@dataclass(frozen=True, slots=True)
class Policy:
    """One key of an organization's settings: what it does, the shape of its value, and who may set it."""

    help: str
    shape: str
    fits: Callable[[Any], bool]
    by_people: bool = True


def _is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def _is_phone(value: Any) -> bool:
    return isinstance(value, str) and (not value or PHONE.fullmatch(value) is not None)


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 7


def _is_megabytes(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10


def is_id(value: Any) -> bool:
    """Whether a value is the text of a UUID."""
    try:
        return str(UUID(value)) == value
    except (AttributeError, TypeError, ValueError):
        return False


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and all(is_id(one) for one in value)


def _are_roles(value: Any) -> bool:
    return isinstance(value, list) and all(one in Role.values for one in value)


def _are_agreements(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_id(one) and isinstance(text, str) and 0 < len(text) <= 120 for one, text in value.items()
    )


def _are_states(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(version, str) and 0 < len(version) <= 32 and state in ("off", "shadow", "live")
        for version, state in value.items()
    )


POLICIES: dict[str, Policy] = {
    "canary": Policy(
        "Says that this is no service but the watchdog's own place; the watchdog sets it.", "true or false",
        _is_yes_or_no, by_people=False,
    ),
    "covered_by": Policy(
        "Services whose shifts may cover this one by agreement: their alerts then come to those people too.",
        "agreements' references by organizations' ids",
        _are_agreements,
    ),
    "desk_phone": Policy("Shown on the board, for when the live connection is lost.", "a number", _is_phone),
    "document_max_mb": Policy(
        "How large a document of a chart may be, in megabytes (10).", "a number from 1 to 10", _is_megabytes
    ),
    "fictional": Policy(
        "Says on every page that everybody is fictional; the demo sets it.", "true or false", _is_yes_or_no,
        by_people=False,
    ),
    "leads": Policy(
        "Who is asked last, and sees the coded board: active people of the desk's roles, never oneself.",
        "a list of people's ids",
        _are_ids,
    ),
    "mfa_required_roles": Policy(
        "Who must give a second factor; unless it is set, the house's default holds (all roles). It holds at "
        "once, in running sessions too: whoever gave none is stopped at the next page, their board's live "
        "connection closes within 5 seconds, and they count as away from the desk until they have one. "
        "So set it between shifts, after people have set theirs up under Your account.",
        "a list of roles: " + ", ".join(Role.values),
        _are_roles,
    ),
    "notify_by_email": Policy(
        "Whether steps of a chain are mailed too (true).", "true or false", _is_yes_or_no
    ),
    "part2_program": Policy(
        "Whether this is a program under 42 CFR Part 2: diagnoses of substance use, tobacco left "
        "out, are then labelled by themselves, and break-glass shows only how many there are.",
        "true or false", _is_yes_or_no,
    ),
    "plans_need_approval": Policy(
        "Whether a signed treatment plan waits for a supervisor of the care team before it comes into force.",
        "true or false", _is_yes_or_no,
    ),
    "text_models": Policy(
        "What a version of the text model may do: off (any that isn't named), shadow (recorded, shown to "
        "supervisors, decides nothing) or live (a part of the score, never a page by itself).",
        "off, shadow or live by versions",
        _are_states,
    ),
    "unplanned_clinicians": Policy(
        "Whether therapists and psychiatrists may start a shift that nobody planned.", "true or false",
        _is_yes_or_no,
    ),
    "voice_retention_days": Policy(
        "Days that transcripts are kept after their extraction (7).", "a number from 0 to 7", _is_days
    ),
}  # fmt: skip


def help_text(names: Iterable[str]) -> str:
    """Return these of the list in words, for the form: one row for each key."""
    rows = ((name, POLICIES[name].help, POLICIES[name].shape) for name in names)
    return format_html(
        '<dl class="settings">{}</dl>',
        format_html_join("", "<div><dt>{}</dt><dd>{} As {}.</dd></div>", rows),
    )


def refuse_unknown(settings: Any, before: Mapping[str, Any], *, by_system: bool) -> None:
    """Raise InputRefused for a key that no code reads, a value of another shape, or what people can't set."""
    if not isinstance(settings, dict):
        raise InputRefused("Settings are a list of names with values.", "bad_settings", field="settings")
    for name, value in settings.items():
        if before.get(name) == value and name in before:
            continue
        policy = POLICIES.get(name)
        if policy is None:
            known = ", ".join(POLICIES)
            raise InputRefused(
                f"Nothing reads the setting {str(name)[:40]}. Known: {known}.",
                "unknown_setting",
                field="settings",
            )
        if not policy.fits(value):
            raise InputRefused(f"{name} must be {policy.shape}.", "bad_setting", field="settings")
        if not (policy.by_people or by_system):
            raise InputRefused(f"{name} is not set by hand.", "bad_setting", field="settings")
    kept = [name for name, one in POLICIES.items() if not one.by_people and name in before]
    if not by_system and any(name not in settings for name in kept):
        raise InputRefused(f"{kept[0]} is not taken out by hand.", "bad_setting", field="settings")
