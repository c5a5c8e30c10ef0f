"""A small typed client of the Cortex API, standard library only: copy it into your own service."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, cast

State = Literal["none", "told", "taken", "nobody_on_duty"]
Button = Literal["in_danger", "talk"]


class Resource(TypedDict, total=False):
    """A line, service or place that the person can turn to."""

    name: str
    kind: str
    phone: str
    sms: str
    url: str
    hours: str
    languages: list[str]


class Support(TypedDict, total=False):
    """Show this to the person: whether somebody knows, and where help is near."""

    state: State
    message: str
    since: str
    person_waiting: bool
    emergency_number: str
    resources: list[Resource]


class ItemResult(TypedDict, total=False):
    """What became of one item; send those with status 429 or 503 again."""

    index: int
    id: str
    kind: str
    result: Literal["stored", "duplicate", "rejected", "limited", "failed"]
    status: int
    reason: str
    field: str
    record: str
    retry_after: int
    notes: list[str]
    support: Support


class Refused(Exception):
    """The request was refused as a whole; `problem` says why, where, and what to show the person."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status = status
        self.problem = problem

    @property
    def support(self) -> Support:
        """The block to show the person, also now."""
        return cast(Support, self.problem.get("support", {}))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a batch."""

    status: int
    items: list[ItemResult]

    @property
    def unsent(self) -> list[int]:
        """Indexes of the items that have to be sent again."""
        return [item["index"] for item in self.items if item["status"] in (429, 503)]

    @property
    def support(self) -> Support | None:
        """The first support block of the batch, if any."""
        return next((item["support"] for item in self.items if "support" in item), None)


@dataclass(slots=True)
class CortexClient:
    """Talks to one Cortex with a server's key, or with a patient token for the addresses under /me/.

    >>> cortex = CortexClient("https://cortex.example", key="cx_…")
    >>> patient = cortex.register_patient(language="sw", consents=[{"consent_type": "treatment",
    "granted": True}])
    >>> answer = cortex.send([message(patient, "Habari ya jioni", session="chat-1")])
    """

    base_url: str
    key: str = ""
    token: str = ""
    timeout: float = 10.0
    tries: int = 4
    headers: dict[str, str] = field(default_factory=dict)

    def register_patient(self, **members: Any) -> str:
        """Put a person on record; return the pseudonym under which their items are sent."""
        return cast(
            str, self._call("POST", "/patients", members, idempotency_key=str(uuid.uuid4()))[1]["patient"]
        )

    def mint_token(self, patient: str, minutes: int = 15) -> str:
        """Return a short-lived token for the patient's own device."""
        return cast(str, self._call("POST", f"/patients/{patient}/tokens", {"minutes": minutes})[1]["token"])

    def send(self, items: Sequence[Mapping[str, Any]], idempotency_key: str = "") -> Answer:
        """Send up to 500 items; while some are answered with 429 or 503 the same request goes again.

        Sending twice is safe: every item has an id, and what was stored answers `duplicate`.
        """
        path = "/intake" if self.key else "/me/intake"
        name = idempotency_key or str(uuid.uuid4())
        for attempt in range(self.tries):
            status, body, wait = self._ask("POST", path, {"items": list(items)}, name)
            if "items" not in body:
                raise Refused(status, body)
            if status not in (429, 503) or attempt == self.tries - 1:
                break
            time.sleep(min(wait, 60))
        return Answer(status, body["items"])

    def sos(self, patient: str = "", button: Button = "in_danger") -> Support:
        """The person pressed a button; always taken. Show the support block at once."""
        path = "/sos" if self.key else "/me/sos"
        return cast(Support, self._call("POST", path, {"patient": patient, "button": button})[1]["support"])

    def support(self) -> Support:
        """Return where the person's call stands (patient token only)."""
        return cast(Support, self._call("GET", "/me/support")[1]["support"])

    def _call(
        self, method: str, path: str, members: Any = None, idempotency_key: str = ""
    ) -> tuple[int, Any]:
        status, body, _ = self._ask(method, path, members, idempotency_key)
        if status >= 400:
            raise Refused(status, body)
        return status, body

    def _ask(self, method: str, path: str, members: Any, idempotency_key: str) -> tuple[int, Any, float]:
        credential = f"Api-Key {self.key}" if self.key else f"Bearer {self.token}"
        headers = {"Authorization": credential, "Content-Type": "application/json", **self.headers}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        data = None if members is None else json.dumps(members).encode()
        url = f"{self.base_url.rstrip('/')}/api/v1{path}"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:  # noqa: S310
                return response.status, json.load(response), 0.0
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error), float(error.headers.get("Retry-After", "1"))


def message(
    patient: str, text: str, *, session: str = "", role: str = "patient", **more: Any
) -> dict[str, Any]:
    """Return a message item with a fresh id."""
    item = {
        "id": str(uuid.uuid4()),
        "kind": "message",
        "patient": patient,
        "role": role,
        "text": text,
        **more,
    }
    return item | ({"session": session} if session else {})
