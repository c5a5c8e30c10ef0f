"""A stand-in for AWS KMS: real AES-256-GCM behind its JSON protocol, at least as strict as AWS says it is.

It serves one region over HTTP and knows GenerateDataKey and Decrypt. Unlike other stand-ins it refuses keys
that are disabled or wait for their deletion, for both operations; ciphertexts of other keys or contexts; key
ids of other regions; unknown access keys; and any operation of a role that may not do it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cortex.crypto.provider import reset_provider

ACCESS_KEY = "AKIDFICTIONAL0000001"
SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/([a-z0-9-]+)/kms/aws4_request, ")
STATES = {
    "Disabled": "DisabledException",
    "PendingDeletion": "KMSInvalidStateException",
    "PendingImport": "KMSInvalidStateException",
}


class Refusal(Exception):
    """An error of KMS, by its type."""


@dataclass
class FakeKms:
    """Keys and moods of the stand-in; `fail` holds error types or numbers of HTTP that the next calls get."""

    region: str = "eu-central-1"
    states: dict[str, str] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    fail: list[str | int] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    latency: float = 0.0
    url: str = ""
    _keys: dict[str, AESGCM] = field(default_factory=dict)

    def make_key(self) -> str:
        """Make an enabled key; return its ARN."""
        arn = f"arn:aws:kms:{self.region}:111122223333:key/{uuid.uuid4()}"
        self._keys[arn] = AESGCM(os.urandom(32))
        self.states[arn] = "Enabled"
        return arn

    def answer(self, operation: str, asked: dict[str, Any], authorization: str) -> dict[str, Any]:
        """Do one operation; raise Refusal with the type of the error."""
        self.calls[operation] += 1
        time.sleep(self.latency)
        scope = SCOPE.match(authorization)
        if scope is None or scope[1] != ACCESS_KEY:
            raise Refusal("UnrecognizedClientException")
        if scope[2] != self.region:
            raise Refusal("InvalidSignatureException")
        if operation in self.denied:
            raise Refusal("AccessDeniedException")
        arn = asked["KeyId"]
        if arn not in self._keys:
            raise Refusal("NotFoundException")
        if self.states[arn] != "Enabled":
            raise Refusal(STATES[self.states[arn]])
        bound = json.dumps(asked.get("EncryptionContext", {}), sort_keys=True).encode()
        if operation == "GenerateDataKey":
            if asked["KeySpec"] != "AES_256":
                raise Refusal("ValidationException")
            plain, nonce = os.urandom(32), os.urandom(12)
            # As long as AWS's own are.
            blob = arn.encode().ljust(124, b"\0") + nonce + self._keys[arn].encrypt(nonce, plain, bound)
            return {"KeyId": arn, "Plaintext": text(plain), "CiphertextBlob": text(blob)}
        if operation != "Decrypt":
            raise Refusal("UnsupportedOperationException")
        blob = base64.b64decode(asked["CiphertextBlob"])
        maker = blob[:124].rstrip(b"\0").decode(errors="replace")
        if maker not in self._keys:
            raise Refusal("InvalidCiphertextException")
        if maker != arn:
            raise Refusal("IncorrectKeyException")
        try:
            plain = self._keys[arn].decrypt(blob[124:136], blob[136:], bound)
        except InvalidTag:
            raise Refusal("InvalidCiphertextException") from None
        return {"KeyId": arn, "Plaintext": text(plain), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def text(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


class Handler(BaseHTTPRequestHandler):
    """Speaks AWS JSON 1.1."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    kms: FakeKms

    def do_POST(self) -> None:
        """Answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        target, _, operation = self.headers["X-Amz-Target"].partition(".")
        status, answer = 200, {}
        try:
            if self.kms.fail:
                raise Refusal(self.kms.fail.pop(0))
            if target != "TrentService":
                raise Refusal("UnknownOperationException")
            answer = self.kms.answer(operation, body, self.headers["Authorization"] or "")
        except Refusal as refusal:
            kind = refusal.args[0]
            status = kind if isinstance(kind, int) else 500 if kind == "KMSInternalException" else 400
            answer = {} if isinstance(kind, int) else {"__type": kind, "message": "refused"}
        content = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # it waited no longer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Ends with the test, whatever still waits in it."""

    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(**moods: Any) -> Iterator[FakeKms]:
    """Run a stand-in on a free port while the block runs."""
    kms = FakeKms(**moods)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"kms": kms}))
    kms.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield kms
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[FakeKms]:
    """A stand-in with one key, which the settings name."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fictional")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    # Another tool's region must not matter: a key's ARN says where it lives.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with serving() as fake:
        settings.CORTEX_KMS_KEYS = fake.make_key()
        settings.CORTEX_KMS_ENDPOINT = fake.url
        yield fake
    reset_provider()
