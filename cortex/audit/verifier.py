"""Walks the chain from its first link and names the first row that does not hold; it changes nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cortex.audit import canonical, signing
from cortex.audit.models import AuditInbox, AuditLink
from cortex.audit.sequencer import GENESIS, last_anchor, microseconds
from cortex.clock import clock

CHUNK = 5000
ANCHORED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: rows linked, rows still waiting, and the first bad place with its reason."""

    links: int
    waiting: int
    bad_number: int | None = None
    bad_row: str = ""
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything up to the last link is as it was written."""
        return not self.reason


def verify(public: Ed25519PublicKey, anchors: Path | None = None) -> Verdict:
    """Check numbers, links, digests, signatures, times and the last anchor, in that order."""
    walk = _Walk(public)
    start = 0
    while True:
        links = list(AuditLink.objects.filter(number__gt=start).order_by("number")[:CHUNK])
        if not links:
            break
        reason = walk.chunk(links)
        if reason:
            return walk.verdict(reason)
        start = links[-1].number
    return walk.verdict(walk.tail() or walk.unlinked() or _against_anchor(walk, anchors))


class _Walk:
    def __init__(self, public: Ed25519PublicKey) -> None:
        self.public = public
        self.number = 0
        self.previous = GENESIS
        self.signed = True
        self.at = 0
        self.row = ""

    def chunk(self, links: list[AuditLink]) -> str:
        digests = _digests(links)
        for link in links:
            self.row = f"{link.trail} {link.row_id}"
            reason = self._link(link, digests.get(link.row_id))
            if reason:
                return reason
        return ""

    def _link(self, link: AuditLink, row_digest: bytes | None) -> str:
        self.number += 1
        at = microseconds(link.linked_at)
        if link.number != self.number:
            return "a link is missing"
        if row_digest is None:
            return "the row is gone"
        if row_digest != bytes(link.row_digest):
            return "the row was changed after it was written"
        if bytes(link.previous_hash) != self.previous:
            return "the chain was cut here"
        value = canonical.link_hash(link.number, link.trail, link.row_id.bytes, row_digest, self.previous, at)
        if value != bytes(link.hash):
            return "the link was rewritten"
        if at < self.at:
            return "the clock ran backwards"
        self.signed = link.signature is not None
        if self.signed and not signing.is_signed(value, bytes(link.signature or b""), self.public):
            return "the signature is not ours"
        self.previous, self.at = value, at
        return ""

    def tail(self) -> str:
        """The head is always signed: an unsigned end was truncated."""
        return "" if self.signed else "the tail was cut off: the last link carries no signature"

    def unlinked(self) -> str:
        """A row that is neither linked nor waiting was put in behind the triggers."""
        for trail, model in canonical.MODELS.items():
            known = AuditLink.objects.filter(trail=trail).values("row_id")
            waiting = AuditInbox.objects.filter(trail=trail).values("row_id")
            row = (
                model._default_manager.exclude(pk__in=known).exclude(pk__in=waiting).values_list("pk").first()
            )
            if row:
                self.row = f"{trail} {row[0]}"
                return "the row was put in behind the trail"
        return ""

    def verdict(self, reason: str) -> Verdict:
        waiting = AuditInbox.objects.count()
        if not reason:
            return Verdict(self.number, waiting)
        return Verdict(self.number, waiting, self.number, self.row, reason)


def _digests(links: list[AuditLink]) -> dict[Any, bytes]:
    found: dict[Any, bytes] = {}
    for trail, model in canonical.MODELS.items():
        ids = [link.row_id for link in links if link.trail == trail]
        for row in model._default_manager.filter(pk__in=ids).values(*canonical.COLUMNS[trail]):
            found[row["id"]] = canonical.digest(trail, row)
    return found


def _should_be_anchored() -> bool:
    """Whether the chain is old enough to have been anchored: a vanished file must not pass as a new house."""
    first = AuditLink.objects.order_by("number").values_list("linked_at", flat=True).first()
    return first is not None and clock() - first > ANCHORED_WITHIN


def _against_anchor(walk: _Walk, anchors: Path | None) -> str:
    if anchors is None:
        return ""
    anchor = last_anchor(anchors)
    if not anchor:
        return "the anchors are missing" if _should_be_anchored() else ""
    link = AuditLink.objects.filter(number=anchor["number"]).first()
    if link is None:
        return "the chain ends before its last anchor: it was rolled back"
    if bytes(link.hash) != base64.b64decode(anchor["hash"]):
        return "the chain differs from its last anchor: it was rewritten"
    return ""
