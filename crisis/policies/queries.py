"""Reads of what the back office set about the engine: what holds, what is asked, what may be chosen."""

from __future__ import annotations

from uuid import UUID

from cortex.accounts.models import Organization
from crisis.risk.lexicons import candidates
from crisis.risk.models import EngineSetting
from crisis.risk.queries import switches
from crisis.risk.reasons import sentence
from crisis.risk.switches import LEXICON, NOTHING, RULE, SWITCHABLE
from crisis.risk.textmodel import ModelState


def state_of(organization_id: UUID, kind: str, name: str) -> ModelState:
    """Return what holds now: a rule is live, another version of the lexicon off, unless somebody said so."""
    found = switches([organization_id]).get(organization_id, NOTHING)
    if kind == RULE:
        return found.rules.get(name, ModelState.LIVE)
    return found.lexicons.get(name, ModelState.OFF)


def live_lexicons(organization_id: UUID) -> set[str]:
    """Return the versions that are live in place of the package's own: one or none."""
    found = switches([organization_id]).get(organization_id, NOTHING)
    return {found.live_lexicon} - {""}


def waiting_setting(organization_id: UUID, kind: str, name: str) -> EngineSetting | None:
    """Return the change of this that waits for a second reader."""
    rows = EngineSetting.objects.filter(organization_id=organization_id, kind=kind, name=name)
    return rows.filter(in_force_at__isnull=True, decided_at__isnull=True).first()


def locked_setting(organization_id: UUID, setting_id: UUID) -> EngineSetting | None:
    """Lock and return one change of an organization."""
    rows = EngineSetting.objects.select_for_update(of=("self",))
    return rows.filter(organization_id=organization_id, pk=setting_id).first()


def locked_organization(organization_id: UUID) -> Organization | None:
    """Lock and return an organization."""
    return Organization.objects.select_for_update().filter(pk=organization_id).first()


def subjects() -> list[tuple[str, str]]:
    """Return what may be changed, as choices: the rules with a switch, and other versions of the lexicon."""
    rules = [(f"{RULE}:{rule}", f"Rule {rule}: {sentence(rule)}") for rule in SWITCHABLE]
    return rules + [(f"{LEXICON}:{version}", f"Lexicon {version}") for version in sorted(candidates())]
