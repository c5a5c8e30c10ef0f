"""The two calls to AWS KMS, with short waits, and every refusal as a sentence that says what to do.

boto3 is imported at the first call: whoever keeps master keys elsewhere pays neither its time nor its memory.
Credentials come by boto3's own chain (environment, shared file, web identity, container, instance) and are
never read from our settings.
"""

from __future__ import annotations

import re
import threading
from functools import cached_property
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from cortex.crypto.errors import KeyProviderError, UnwrapError

ARN = re.compile(
    r"arn:aws[a-z-]{0,12}:kms:(?P<region>[a-z0-9-]{5,25}):\d{12}:key/"
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
)
CONTEXT = {"application": "cortex", "purpose": "data keys"}
"""The EncryptionContext of every call: KMS binds it, and a key policy can demand it."""
CONNECT_SECONDS, READ_SECONDS, TRIES = 1, 2, 2
"""Of one try. The pause between two is a second at most: 7 s for the worst call, one for most."""
INSTALL = "boto3 is not installed: pip install -r requirements-kms.txt"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Unavailable(KeyProviderError):
    """KMS gave no answer, or one that may be another soon: trying again helps."""


class Kms:
    """One KMS key, named by its ARN; safe for threads, one per process."""

    def __init__(self, arn: str, endpoint: str = "") -> None:
        match = ARN.fullmatch(arn)
        if match is None:
            raise KeyProviderError(
                "CORTEX_KMS_KEYS wants full ARNs, arn:aws:kms:<region>:<account>:key/<id>: an alias could be "
                "turned to another key, under which nothing opens"
            )
        if endpoint and not _safe(endpoint):
            raise KeyProviderError("CORTEX_KMS_ENDPOINT must be https://…: data keys travel over it")
        if find_spec("boto3") is None:
            raise KeyProviderError(INSTALL)
        self.arn = arn
        self.region = match["region"]
        self._endpoint = endpoint or None
        self._lock = threading.Lock()

    def generate(self) -> tuple[bytes, bytes]:
        """Return (32 fresh bytes, the same wrapped by this key); raise KeyProviderError."""
        answer = self._ask("generate_data_key", KeyId=self.arn, KeySpec="AES_256", EncryptionContext=CONTEXT)
        return answer["Plaintext"], answer["CiphertextBlob"]

    def decrypt(self, wrapped: bytes) -> bytes:
        """Return what `generate` wrapped; raise UnwrapError for anything else, KeyProviderError."""
        plain = self._ask("decrypt", KeyId=self.arn, CiphertextBlob=wrapped, EncryptionContext=CONTEXT)
        return bytes(plain["Plaintext"])

    def _ask(self, operation: str, **parameters: Any) -> Any:
        with self._lock:
            client = self._client
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(client, operation)(**parameters)
        except ClientError as fault:
            raise self._refused(fault.response.get("Error", {}).get("Code", ""), operation) from None
        except BotoCoreError as fault:
            raise self._unreachable(type(fault).__name__) from None

    @cached_property
    def _client(self) -> Any:
        import boto3
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            region_name=self.region,
        )
        try:
            session = botocore.session.get_session()
            # For STS too, which the chain asks for a role's credentials and which would wait a minute.
            session.set_default_client_config(config)
            client = boto3.session.Session(botocore_session=session).client(
                "kms", config=config, endpoint_url=self._endpoint
            )
        except (BotoCoreError, ValueError) as fault:
            raise self._unreachable(type(fault).__name__) from None
        # AWS_ENDPOINT_URL and the shared file may name one, too.
        if not _safe(client.meta.endpoint_url):
            raise KeyProviderError("the endpoint of AWS KMS must be https://…: data keys travel over it")
        return client

    def _refused(self, code: str, operation: str) -> KeyProviderError:
        right = "kms:GenerateDataKey" if operation == "generate_data_key" else "kms:Decrypt"
        if code in WRONG_BYTES:
            return UnwrapError(f"{self.arn} does not open a stored data key: other bytes, key or context")
        if code in THROTTLED:
            return Unavailable(
                f"AWS KMS throttles {self.arn} ({code}): wait, or have the quota of {self.region} raised"
            )
        if code in PASSING:
            return Unavailable(f"AWS KMS could not answer for {self.arn} ({code}): it is tried again")
        what = SENTENCES.get(code, f"refuses {right} with {code}")
        return KeyProviderError(
            f"AWS KMS: {what}".format(arn=self.arn, region=self.region, right=right)
            + ("" if code in SENTENCES else f" for {self.arn}")
        )

    def _unreachable(self, kind: str) -> KeyProviderError:
        if kind in NO_CREDENTIALS:
            return KeyProviderError(
                f"AWS KMS: no usable credentials ({kind}); give the process a role or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        return Unavailable(
            f"AWS KMS in {self.region} does not answer ({kind}): look at the network, the VPC endpoint and "
            "CORTEX_KMS_ENDPOINT"
        )

    def __repr__(self) -> str:
        return f"<Kms {self.arn}>"


def _safe(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in LOOPBACK)
    except ValueError:
        return False


WRONG_BYTES = {"InvalidCiphertextException", "IncorrectKeyException"}
THROTTLED = {"ThrottlingException", "Throttling", "LimitExceededException", "TooManyRequestsException"}
PASSING = {
    "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException", "InternalFailure",
    "ServiceUnavailable", "ServiceUnavailableException", "500", "502", "503", "504",
}  # fmt: skip
NO_CREDENTIALS = {
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "MetadataRetrievalError",
    "TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "ProfileNotFound",
    "ConfigNotFound", "ConfigParseError", "InvalidConfigError", "RefreshWithMFAUnsupportedError",
}  # fmt: skip
SENTENCES = {
    "AccessDeniedException": "{right} is denied on {arn}; allow it in the role's policy and in the key's own",
    "DisabledException": "{arn} is disabled; `aws kms enable-key` brings it back",
    "KMSInvalidStateException": (
        "{arn} can't be used: it waits for its deletion or for key material; "
        "`aws kms describe-key` says which, `aws kms cancel-key-deletion` then `enable-key` bring it back"
    ),
    "NotFoundException": (
        "{arn} does not exist in {region}; compare region, account and id with `aws kms describe-key`"
    ),
    "InvalidKeyUsageException": "{arn} is no symmetric key for encryption; make one and rotate",
    "UnrecognizedClientException": "the credentials are unknown to AWS; renew them",
    "InvalidClientTokenId": "the credentials are unknown to AWS; renew them",
    "InvalidSignatureException": "the secret access key, the host's clock or the region of {arn} is wrong",
    "IncompleteSignature": "the secret access key, the host's clock or the region of {arn} is wrong",
    "ExpiredTokenException": "the credentials have expired; renew them",
    # Said by STS on the way to a role's credentials.
    "ExpiredToken": "the credentials have expired; renew them",
    "AccessDenied": "the role that boto3 found may not be assumed; look at its trust policy",
    "InvalidIdentityToken": "the token of the web identity is not accepted; look at the role's trust policy",
    "OptInRequired": "the account of these credentials may not use AWS KMS in {region}",
}
