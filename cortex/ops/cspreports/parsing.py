"""From a browser's report to codes: directive, kind of source, route; whatever else it says is dropped."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.urls import Resolver404, resolve

from cortex.api.strict import BodyRefused, Limits, read_json
from cortex.ops.cspreports.models import BlockedSource

# `report-uri` sends one report as the first, the Reporting API a list of them as the second.
OLD_KIND, NEW_KIND = "application/csp-report", "application/reports+json"
LIMITS = Limits(size=256 * 1024, depth=8, keys=4_000)
MOST_REPORTS = 100
LONGEST_PATH = 500
# Names of the CSP specification (level 3, and the proposals that browsers carry out); others are `other`.
DIRECTIVES = frozenset(
    {"base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "form-action",
     "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "object-src", "prefetch-src",
     "require-trusted-types-for", "sandbox", "script-src", "script-src-attr", "script-src-elem", "style-src",
     "style-src-attr", "style-src-elem", "trusted-types", "worker-src"}
)  # fmt: skip
WORDS = {
    "inline": BlockedSource.INLINE, "eval": BlockedSource.EVAL, "wasm-eval": BlockedSource.EVAL,
    "data": BlockedSource.DATA, "blob": BlockedSource.DATA, "self": BlockedSource.OWN,
}  # fmt: skip
WEB = frozenset({"http", "https", "ws", "wss"})
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?")  # two of them and a dot are 63
UNMATCHED, OTHER = "unmatched", "other"


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """What was stopped, in codes."""

    directive: str
    source: str
    route: str
    host: str = ""


def read_reports(body: bytes, kind: str, own_host: str) -> Counter[Violation]:
    """Return the violations of our own pages that a body tells of; raise BodyRefused when it can't be read.

    Reports of other kinds and of other hosts' pages count as nothing.
    """
    value = read_json(body, LIMITS).value
    if kind == OLD_KIND:
        told = [value.get("csp-report")] if isinstance(value, dict) else [None]
    else:
        told = value if isinstance(value, list) else [value]
        told = [_body(one) for one in told[:MOST_REPORTS]]
    if not any(isinstance(one, dict) for one in told) and not (kind == NEW_KIND and isinstance(value, list)):
        raise BodyRefused("no_report", "This holds no report of the content policy.")
    found = (_violation(one, own_host) for one in told if isinstance(one, dict))
    return Counter(one for one in found if one is not None)


def _body(report: Any) -> Any:
    is_violation = isinstance(report, dict) and report.get("type") == "csp-violation"
    return report.get("body") if is_violation else None


def _violation(report: dict[str, Any], own_host: str) -> Violation | None:
    """Return one report in codes; None for a page that isn't ours."""
    page = _address(_text(report, "documentURL", "document-uri"))
    if page is None or page.scheme not in WEB or (page.hostname or "") != own_host:
        return None
    directive = _text(report, "effectiveDirective", "effective-directive", "violated-directive")
    name = (directive.split() or [""])[0].lower()
    source, host = _source(_text(report, "blockedURL", "blocked-uri"), own_host)
    return Violation(name if name in DIRECTIVES else OTHER, source, route_of(page.path), host)


def _text(report: dict[str, Any], *names: str) -> str:
    return next((report[name] for name in names if isinstance(report.get(name), str)), "")


def _address(text: str) -> SplitResult | None:
    try:
        address = urlsplit(text)
        return address if address.hostname is not None else None
    except ValueError:
        return None


def _source(blocked: str, own_host: str) -> tuple[str, str]:
    """Return the kind of source, and of another host its last two labels.

    A script that got in could write what it read before a host's name, so the labels in front are dropped.
    """
    word = blocked.partition(":")[0].lower()
    if word in WORDS:
        return WORDS[word], ""
    if word.endswith("-extension"):
        return BlockedSource.EXTENSION, ""
    address = _address(blocked)
    if word not in WEB or address is None or not address.hostname:
        return BlockedSource.OTHER, ""
    if address.hostname == own_host:
        return BlockedSource.OWN, ""
    labels = address.hostname.split(".")[-2:]
    return BlockedSource.HOST, ".".join(labels) if all(map(LABEL.fullmatch, labels)) else ""


def route_of(path: str) -> str:
    """Return the name of a path's route: an id in a path may be a patient's."""
    try:
        match = resolve(path) if len(path) <= LONGEST_PATH else None
    except (Resolver404, ValueError):
        match = None
    return match.view_name[:100] if match is not None and match.url_name else UNMATCHED
