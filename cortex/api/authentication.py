"""Who calls the API: a server by its key, or a patient's own device by a short-lived token; no cookies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from cortex.accounts.apikeys.material import prefix_of
from cortex.accounts.apikeys.queries import key_by_id
from cortex.accounts.keys import authenticate_key
from cortex.accounts.models import ApiKey
from cortex.api import tokens
from cortex.audit.actors import Actor, keyed_hash
from cortex.clock import known_now, steady_now

# What every working key may do, whatever its scopes: press the SOS button for somebody, read the schema.
ANY_KEY = "any"
MINT_SCOPE = "tokens:mint"


@dataclass(frozen=True, slots=True)
class KeyCredential:
    """A working API key."""

    kind: ClassVar[str] = "key"
    key: ApiKey

    @property
    def scopes(self) -> frozenset[str]:
        """What this key may do."""
        return frozenset(self.key.scopes) | {ANY_KEY}

    @property
    def organization_id(self) -> UUID:
        """Whose people it may send for."""
        return self.key.client.organization_id

    @property
    def sender(self) -> str:
        """The name under which answers are kept and the rate is counted; a rotation keeps it."""
        return self.client

    @property
    def client(self) -> str:
        """The name under which item ids are kept."""
        return f"client:{self.key.client_id}"

    def actor(self, request: Request) -> Actor:
        """Return the actor of a request by this key."""
        return Actor(
            kind="api", id=self.key.client_id, label=self.key.client.name, role="api_client",
            organization_id=self.organization_id, org_ids=(self.organization_id,),
            request_id=getattr(request, "request_id", ""), ip_hash=_ip_hash(request),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PatientCredential:
    """A patient's own device."""

    kind: ClassVar[str] = "patient_token"
    claims: tokens.Claims
    client_id: UUID

    @property
    def scopes(self) -> frozenset[str]:
        """A device has no scopes: it may only use the addresses under /me/."""
        return frozenset()

    @property
    def organization_id(self) -> UUID:
        """The organization that cares for the patient."""
        return self.claims.organization_id

    @property
    def patient_id(self) -> UUID:
        """The one patient for whom it may send."""
        return self.claims.patient_id

    @property
    def sender(self) -> str:
        """The patient's own name: two devices that both count their requests from 1 must not meet."""
        return f"patient:{self.patient_id}"

    @property
    def client(self) -> str:
        """The client's name, so that an item that came both by server and by device counts once."""
        return f"client:{self.client_id}"

    def actor(self, request: Request) -> Actor:
        """Return the actor of a request by this device."""
        return Actor(
            kind="patient", id=self.patient_id, label="the patient's own device", role="patient",
            organization_id=self.organization_id, org_ids=(self.organization_id,),
            request_id=getattr(request, "request_id", ""), ip_hash=_ip_hash(request),
        )  # fmt: skip


# Whose a working key was when it was last shown, by its prefix, which is no secret.
_whose: dict[str, UUID] = {}
MOST_KNOWN = 10_000


def known_organization(request: Request) -> UUID | None:
    """Return the organization of a caller without asking the database: for what everybody of it may read."""
    patient, at = PatientTokenAuthentication().secret(request), known_now()
    if patient:
        if at is None:
            return None  # a process that was never told the time
        try:
            return tokens.read(patient, at).organization_id
        except tokens.TokenRefused:
            return None
    return _whose.get(prefix_of(ApiKeyAuthentication().sent_key(request)))


def _remember(raw: str, key: ApiKey) -> None:
    if len(_whose) < MOST_KNOWN:
        _whose[prefix_of(raw)] = key.client.organization_id


def _ip_hash(request: Request) -> str:
    return keyed_hash(request.META.get("REMOTE_ADDR", ""))


class _Header(BaseAuthentication):
    """Reads `Authorization: <word> <secret>`; another word is left to the next class."""

    word = ""

    def secret(self, request: Request) -> str:
        """Return what follows the word, or an empty text."""
        word, _, rest = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        return rest.strip() if word.lower() == self.word.lower() else ""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return f'{self.word} realm="Cortex API"'


class ApiKeyAuthentication(_Header):
    """`Authorization: Api-Key <key>`, or `X-Api-Key: <key>`."""

    word = "Api-Key"

    def sent_key(self, request: Request) -> str:
        """Return the key that was sent, or an empty text."""
        return self.secret(request) or str(request.META.get("HTTP_X_API_KEY", "")).strip()

    def authenticate(self, request: Request) -> tuple[AnonymousUser, KeyCredential] | None:
        """Return the credential, None when there is no key, or raise a 401."""
        raw = self.sent_key(request)
        if not raw:
            return None
        key = authenticate_key(raw)
        if key is None:
            raise AuthenticationFailed("This API key isn't known, or it no longer works.", "key_refused")
        _remember(raw, key)
        return AnonymousUser(), KeyCredential(key)


class PatientTokenAuthentication(_Header):
    """`Authorization: Bearer <patient token>`."""

    word = "Bearer"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, PatientCredential] | None:
        """Return the credential, None when there is no token, or raise a 401."""
        raw = self.secret(request)
        if not raw:
            return None
        now = steady_now()
        try:
            claims = tokens.read(raw, now)
        except tokens.TokenRefused as refused:
            raise AuthenticationFailed(str(refused), "token_refused") from None
        key = key_by_id(claims.key_id)
        if key is None or not _may_speak_for(key, claims, now):
            raise AuthenticationFailed("The key that minted this token was revoked.", "token_refused")
        return AnonymousUser(), PatientCredential(claims, key.client_id)


def _may_speak_for(key: ApiKey, claims: tokens.Claims, now: datetime) -> bool:
    """Whether the key that minted a token still works, may mint, and is of the token's organization."""
    mints = key.opens_at(now) and MINT_SCOPE in key.scopes
    return mints and key.client.organization_id == claims.organization_id
