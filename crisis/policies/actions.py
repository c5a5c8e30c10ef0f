"""Changing clocks and pagers: what the back office may set, bounded so that safety can't be set away."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, Unchanged, action, record
from crisis.escalation.models import PagerEndpoint, SlaPolicy
from crisis.escalation.policy import COPIED
from crisis.policies.chain import URGENT, problem_of

# Nobody may set a clock longer than this: the slowest sensible target of each, in seconds. Where somebody
# is in danger now or waits for a voice, the repeats of the chain and the claim come sooner.
SOONER = {"repeat_seconds": 600, "acknowledge_seconds": 600}
LONGEST = {
    "acknowledge_seconds": 3600,
    "contact_seconds": 14400,
    "disposition_seconds": 86400,
    "confirm_seconds": 120,
    "warn_claim_seconds": 3600,
    "release_claim_seconds": 7200,
    "check_in_seconds": 3600,
    "owner_gone_seconds": 1800,
    "repeat_seconds": 1800,
}


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
    if policy.release_claim_seconds <= policy.warn_claim_seconds:
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
    sooner = SOONER if level in URGENT else {}
    longest = sooner.get(name) or LONGEST.get(name, 0)
    if name == "chain":
        problem = problem_of(value, level)
        if problem:
            raise InputRefused(problem, "bad_chain", field="chain")
    elif not 0 < value <= longest:
        raise InputRefused(f"Between 1 and {longest} seconds.", "out_of_range", field=name)


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
