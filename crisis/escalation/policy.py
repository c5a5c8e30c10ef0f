"""The default clocks and chains (domain 3.5), as data for the first migration and for copies onto alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

# [P] product policy: the organization's own rows of SlaPolicy win over these.
DEFAULTS: dict[str, dict[str, Any]] = {
    "critical": {
        "acknowledge_seconds": 120,
        "contact_seconds": 300,
        "disposition_seconds": 3600,
        "warn_claim_seconds": 180,
        "release_claim_seconds": 300,
        "repeat_seconds": 300,
        "chain": [
            {"after": 0, "who": "on_duty"},
            {"after": 120, "who": "supervisor"},
            {"after": 300, "who": "on_call"},
            {"after": 600, "who": "lead"},
        ],
    },
    "high": {
        "acknowledge_seconds": 900,
        "contact_seconds": 3600,
        "disposition_seconds": 14400,
        "warn_claim_seconds": 900,
        "release_claim_seconds": 1500,
        "repeat_seconds": 900,
        "chain": [
            {"after": 0, "who": "on_duty"},
            {"after": 900, "who": "second"},
            {"after": 1800, "who": "supervisor"},
            {"after": 3600, "who": "on_call"},
        ],
    },
    "waiting": {
        "acknowledge_seconds": 120,
        "contact_seconds": 300,
        "disposition_seconds": 14400,
        "warn_claim_seconds": 180,
        "release_claim_seconds": 300,
        "repeat_seconds": 300,
        "chain": [
            {"after": 0, "who": "on_duty"},
            {"after": 120, "who": "supervisor"},
            {"after": 300, "who": "on_call"},
            {"after": 600, "who": "lead"},
        ],
    },
}
# A medium level opens no alert and calls nobody: a look within a day, a first try to reach the person within
# three, and what is overdue is told again daily, the second time to the supervisors (48 h).
MEDIUM = {"acknowledge_seconds": 86400, "contact_seconds": 259200, "repeat_seconds": 86400}
# Its row says nothing of what only an alert has.
MEDIUM_ROW: dict[str, Any] = MEDIUM | {
    "disposition_seconds": 0, "confirm_seconds": 0, "warn_claim_seconds": 0, "release_claim_seconds": 0,
    "check_in_seconds": 0, "owner_gone_seconds": 0, "chain": [],
}  # fmt: skip
SHARED = {"confirm_seconds": 30, "check_in_seconds": 1200, "owner_gone_seconds": 600}
COPIED = (
    "acknowledge_seconds",
    "contact_seconds",
    "disposition_seconds",
    "confirm_seconds",
    "warn_claim_seconds",
    "release_claim_seconds",
    "check_in_seconds",
    "owner_gone_seconds",
    "repeat_seconds",
    "chain",
)


def clocks(policy: dict[str, Any], since: datetime) -> dict[str, datetime]:
    """Return the three due times of an alert whose clock starts at `since`."""
    return {
        "claim_due_at": since + timedelta(seconds=policy["acknowledge_seconds"]),
        "contact_due_at": since + timedelta(seconds=policy["contact_seconds"]),
        "disposition_due_at": since + timedelta(seconds=policy["disposition_seconds"]),
    }
