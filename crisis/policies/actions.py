"""Changing clocks, pagers and the engine: what the back office may set, so that no safety is set away."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts.access import READERS
from crisis.escalation.models import PagerEndpoint, SlaPolicy
from crisis.escalation.policy import COPIED
from crisis.policies import queries
from crisis.policies.bounds import bounds_of, span
from crisis.policies.chain import MEDIUM, problem_of
from crisis.risk.lexicons import candidates
from crisis.risk.models import EngineSetting
from crisis.risk.switches import LEXICON, RULE, SWITCHABLE, needs_reader
from crisis.risk.textmodel import ModelState


@action
def change_policy(*, actor: Actor, policy_id: UUID, **fields: Any) -> SlaPolicy:
    """Change the clocks or the chain of one level, for alerts that open from now on."""
    policy = SlaPolicy.objects.select_for_update().filter(pk=policy_id).first()
    if policy is None or not _is_theirs(actor, policy):
        raise NotFound("This policy does not exist.", "not_found")
    changed = {
        name: value for name, value in fields.items() if name in COPIED and value != getattr(policy, name)
    }
    if not changed:
        return Unchanged(policy)  # type: ignore[return-value]
    if policy.organization_id is None and not actor.is_system:
        policy = _own_copy(actor, policy)
    for name, value in changed.items():
        _refuse_bad(name, value, policy.level)
        setattr(policy, name, value)
    if policy.level != MEDIUM and policy.release_claim_seconds <= policy.warn_claim_seconds:
        raise InputRefused(
            "A claim is released after its warning.", "out_of_range", field="release_claim_seconds"
        )
    policy.save()
    record(actor, "policy.changed", policy, fields=sorted(changed), codes={"level": policy.level})
    return policy


def _is_theirs(actor: Actor, policy: SlaPolicy) -> bool:
    return actor.is_system or policy.organization_id is None or policy.organization_id in actor.org_ids


def _own_copy(actor: Actor, policy: SlaPolicy) -> SlaPolicy:
    """Return the organization's own row of this level, copied from everybody's default when it has none."""
    if actor.organization_id is None:
        raise NotFound("This policy does not exist.", "not_found")
    own = SlaPolicy.objects.filter(organization_id=actor.organization_id, level=policy.level).first()
    if own is not None:
        return own
    values = {name: getattr(policy, name) for name in COPIED}
    return SlaPolicy(organization_id=actor.organization_id, level=policy.level, **values)


def _refuse_bad(name: str, value: Any, level: str) -> None:
    bounds = bounds_of(name, level)
    if level == MEDIUM and bounds is None:
        raise InputRefused("A medium level opens no alert: it has no such clock.", "no_clock", field=name)
    if name == "chain":
        problem = problem_of(value, level)
        if problem:
            raise InputRefused(problem, "bad_chain", field="chain")
    elif bounds is None or not bounds[0] <= value <= bounds[1]:
        raise InputRefused(span(name, level), "out_of_range", field=name)


@action
def add_pager(*, actor: Actor, name: str, url: str, secret: str, is_active: bool = True) -> PagerEndpoint:
    """Add a pager endpoint of the actor's organization; its secret signs every call."""
    _refuse_bad_pager(url, secret, needed=True)
    if actor.organization_id is None:
        raise NotFound("You belong to no organization.", "no_organization")
    endpoint = PagerEndpoint(organization_id=actor.organization_id, name=name, url=url, is_active=is_active)
    with opening(actor, purpose="pager") as context:
        context.load_keys([endpoint.organization_id], create=True)
        endpoint.secret = secret
        endpoint.save(force_insert=True)
    record(actor, "pager.added", endpoint, fields=["name", "url", "secret"])
    return endpoint


@action
def change_pager(*, actor: Actor, pager_id: UUID, **fields: Any) -> PagerEndpoint:
    """Change a pager endpoint; an empty secret keeps the present one."""
    endpoint = (
        PagerEndpoint.objects.select_for_update()
        .filter(pk=pager_id, organization_id__in=actor.org_ids)
        .first()
    )
    if endpoint is None:
        raise NotFound("This endpoint does not exist.", "not_found")
    changed = {
        name: value for name, value in fields.items() if name in ("name", "url", "is_active", "secret")
    }
    if not changed.get("secret"):
        changed.pop("secret", None)
    _refuse_bad_pager(changed.get("url", endpoint.url), changed.get("secret", ""), needed=False)
    with opening(actor, purpose="pager") as context:
        context.load_keys([endpoint.organization_id], create=True)
        for name, value in changed.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=[*changed, "updated_at"])
    record(actor, "pager.changed", endpoint, fields=sorted(changed))
    return endpoint


def _refuse_bad_pager(url: str, secret: str, *, needed: bool) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputRefused("Use an http or https address.", "bad_url", field="url")
    if (needed or secret) and len(secret) < 32:
        raise InputRefused("The secret needs at least 32 characters.", "too_short", field="secret")


@action
def set_engine_state(
    *, actor: Actor, subject: str, state: str, reason: str, at: datetime | None = None
) -> EngineSetting:
    """Say what a rule or a version of the lexicon may do here, as "rule:H12" or "lexicon:VERSION".

    A live rule rests, and another version takes the package's place, only when a second reader agrees (domain
    3.7); everything else holds at once, for messages and evaluations from now on.
    """
    kind, _, name = subject.partition(":")
    _refuse_fixed(kind, name, state)
    if not reason.strip():
        raise InputRefused("Say why: whoever reads it later relies on it.", "required", field="reason")
    organization_id = _locked_house(actor)
    at = clock(at)
    if queries.waiting_setting(organization_id, kind, name) is not None:
        raise RuleBroken("A second reader has been asked about this already.", "review_pending")
    before = queries.state_of(organization_id, kind, name)
    setting = EngineSetting(
        organization_id=organization_id, kind=kind, name=name, state=state, reason=reason.strip(),
        asked_by=actor.user, asked_at=at,
    )  # fmt: skip
    if before == state:
        raise InputRefused("It is so already.", "no_change", field="state")
    _refuse_second_live(setting)
    asks = needs_reader(kind, before, ModelState(state))
    setting.in_force_at = None if asks else at
    setting.save(force_insert=True)
    verb = "engine.change_asked" if asks else "engine.state_set"
    record(actor, verb, setting, codes={"subject": subject, "state": state, "before": str(before)})
    return setting


def _refuse_fixed(kind: str, name: str, state: str) -> None:
    if state not in set(ModelState):
        raise InputRefused("Off, in shadow or live.", "unknown_state", field="state")
    if kind == RULE and name in SWITCHABLE:
        return
    if kind == LEXICON and name in candidates():
        return
    raise InputRefused(
        "This has no switch: what a person said, answered or pressed, or a human decided, always counts.",
        "no_switch",
        field="subject",
    )


def _locked_house(actor: Actor) -> UUID:
    """Lock the actor's organization, so that two changes of its engine come one after the other."""
    if actor.organization_id is None or queries.locked_organization(actor.organization_id) is None:
        raise NotFound("You belong to no organization.", "no_organization")
    return actor.organization_id


def _refuse_second_live(setting: EngineSetting) -> None:
    """Words are read by one live version: the other has to go first."""
    if setting.kind != LEXICON or setting.state != ModelState.LIVE:
        return
    others = queries.live_lexicons(setting.organization_id) - {setting.name}
    if others:
        raise RuleBroken(f"Lexicon {min(others)} is live: put it in shadow or off first.", "another_is_live")


@action
def agree_engine_state(*, actor: Actor, enginesetting_id: UUID, at: datetime | None = None) -> EngineSetting:
    """Agree, as the second reader, to what somebody else asked for; it holds from now on."""
    setting, at = _asked(actor, enginesetting_id, at)
    _refuse_fixed(setting.kind, setting.name, setting.state)
    _refuse_second_live(setting)
    before = queries.state_of(setting.organization_id, setting.kind, setting.name)
    setting.agreed, setting.in_force_at = True, at
    return _decided(actor, setting, at, "engine.state_set", str(before))


@action
def refuse_engine_state(*, actor: Actor, enginesetting_id: UUID, at: datetime | None = None) -> EngineSetting:
    """Refuse, as the second reader, what somebody else asked for; everything stays as it is."""
    setting, at = _asked(actor, enginesetting_id, at)
    setting.agreed = False
    return _decided(actor, setting, at, "engine.change_refused", "")


def _asked(actor: Actor, setting_id: UUID, at: datetime | None) -> tuple[EngineSetting, datetime]:
    organization_id = _locked_house(actor)
    setting = queries.locked_setting(organization_id, setting_id)
    if setting is None or actor.role not in READERS:
        raise NotFound("This question does not exist, or it is not yours to decide.", "not_found")
    if not setting.is_waiting:
        raise RuleBroken("This was decided already.", "decided")
    if setting.asked_by_id == actor.id:
        raise RuleBroken("Somebody else has to read this: you asked for it.", "same_person")
    return setting, clock(at)


def _decided(actor: Actor, setting: EngineSetting, at: datetime, verb: str, before: str) -> EngineSetting:
    setting.decided_by, setting.decided_at = actor.user, at
    setting.save(update_fields=["agreed", "decided_by", "decided_at", "in_force_at", "updated_at"])
    codes = {"subject": f"{setting.kind}:{setting.name}", "state": setting.state, "before": before}
    record(actor, verb, setting, codes=codes)
    return setting
