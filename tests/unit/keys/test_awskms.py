"""Master keys in AWS KMS, beside a stand-in as strict as AWS: what opens, what is refused, what is said."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cortex.audit.actors import system
from cortex.crypto import checks
from cortex.crypto.errors import KeyProviderError, UnknownMasterKey, UnwrapError
from cortex.crypto.provider import get_provider, reset_provider
from cortex.ids import uuid7
from cortex.keys import actions, store
from cortex.keys.awskms.client import CONTEXT, Kms, Unavailable
from cortex.keys.awskms.provider import KmsProvider, parts_of
from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.keys.proof import queries
from tests import stores
from tests.kms import FakeKms
from tests.unit.keys.load import desk_at_work, opens, sealed_words

KEY = b"k" * 32


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.django_db
def test_a_data_key_goes_there_and_back_and_its_row_is_all_that_a_new_process_needs(
    kms: FakeKms, settings: Any
) -> None:
    provider = get_provider()
    key_id, blob = provider.wrap(KEY, b"patient one")
    assert key_id == settings.CORTEX_KMS_KEYS and KEY not in blob
    assert provider.unwrap(key_id, blob, b"patient one") == KEY
    assert KmsProvider().unwrap(key_id, blob, b"patient one") == KEY
    assert kms.calls == {"GenerateDataKey": 1, "Decrypt": 1}


@pytest.mark.django_db
def test_a_moved_or_changed_data_key_does_not_open(kms: FakeKms) -> None:
    key_id, blob = get_provider().wrap(KEY, b"patient one")
    with pytest.raises(UnwrapError):
        get_provider().unwrap(key_id, blob, b"patient two")
    # Each byte of our own part, and some of what KMS made.
    for at in [*range(4), *range(4, 188, 45), *range(188, len(blob))]:
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(UnwrapError):
            get_provider().unwrap(key_id, changed, b"patient one")
    for cut in (0, 1, 3, 4, 100, len(blob) - 1):
        with pytest.raises(UnwrapError):
            get_provider().unwrap(key_id, blob[:cut], b"patient one")


def test_kms_binds_our_context_and_its_own_key(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Kms(kms.make_key(), kms.url), Kms(kms.make_key(), kms.url)
    plain, wrapped = one.generate()
    assert one.decrypt(wrapped) == plain
    with pytest.raises(UnwrapError):
        other.decrypt(wrapped)
    monkeypatch.setitem(CONTEXT, "application", "another")
    with pytest.raises(UnwrapError):
        one.decrypt(wrapped)


@pytest.mark.django_db
def test_processes_share_one_intermediate_key_and_a_batch_asks_kms_once(kms: FakeKms) -> None:
    subjects = [uuid7() for _ in range(50)]
    store.ensure_keys(subjects)
    reset_provider()
    store.ensure_keys([uuid7()])
    wrapped = {parts_of(bytes(blob))[0] for blob in SubjectKey.objects.values_list("wrapped", flat=True)}
    assert len(wrapped) == 1
    reset_provider()
    cache.forget()
    kms.calls.clear()
    assert len(store.ensure_keys(subjects)) == 50
    assert kms.calls == {"Decrypt": 1}


REFUSALS = {
    "Disabled": "is disabled; `aws kms enable-key`",
    "PendingDeletion": "waits for its deletion.*cancel-key-deletion",
    "PendingImport": "or for key material",
}


@pytest.mark.django_db
def test_a_key_that_is_not_enabled_neither_wraps_nor_unwraps(kms: FakeKms, settings: Any) -> None:
    clock = Clock()
    provider, fresh = KmsProvider(now=clock), KmsProvider(now=clock)
    key_id, blob = provider.wrap(KEY, b"")
    for state, said in REFUSALS.items():
        kms.states[settings.CORTEX_KMS_KEYS] = state
        clock.seconds += 61
        with pytest.raises(KeyProviderError, match=said) as caught:
            provider.unwrap(key_id, blob, b"")
        # The rest of the house's keys wait for it, too: this is no fault of one row.
        assert not isinstance(caught.value, UnwrapError | UnknownMasterKey)
        with pytest.raises(KeyProviderError, match=said):
            fresh.wrap(KEY, b"")
    kms.states[settings.CORTEX_KMS_KEYS] = "Enabled"
    clock.seconds += 61
    assert provider.unwrap(key_id, blob, b"") == KEY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("operation", "right"), [("GenerateDataKey", "kms:GenerateDataKey"), ("Decrypt", "kms:Decrypt")]
)
def test_a_right_that_is_missing_is_named_before_the_release(
    kms: FakeKms, settings: Any, operation: str, right: str
) -> None:
    assert checks.check_keys() == checks.check_provider() == []
    kms.denied = {operation}
    (error,) = checks.check_provider()
    assert error.id == "cortex.crypto.E007"
    assert f"{right} is denied on {settings.CORTEX_KMS_KEYS}" in error.msg
    settings.CORTEX_KMS_KEYS = ""
    assert checks.check_provider() == []


def test_a_key_of_another_region_or_account_is_said_to_be_nowhere(kms: FakeKms) -> None:
    missing = f"arn:aws:kms:{kms.region}:444455556666:key/12345678-1234-1234-1234-123456789012"
    with pytest.raises(KeyProviderError, match="does not exist in eu-central-1; compare region, account"):
        Kms(missing, kms.url).generate()
    elsewhere = missing.replace(kms.region, "us-east-1")
    with pytest.raises(KeyProviderError, match=r"region of arn:aws:kms:us-east-1.* is wrong"):
        Kms(elsewhere, kms.url).generate()


def test_missing_and_unknown_credentials_are_said(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSOMEBODYELSE0001")
    with pytest.raises(KeyProviderError, match="credentials are unknown"):
        Kms(kms.make_key(), kms.url).generate()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(KeyProviderError, match="no usable credentials"):
        Kms(kms.make_key(), kms.url).generate()


@pytest.mark.parametrize("first", ["ThrottlingException", "KMSInternalException", 503])
def test_one_throttled_or_failed_try_is_made_up_for(kms: FakeKms, first: Any) -> None:
    kms.fail = [first]
    plain, wrapped = Kms(kms.make_key(), kms.url).generate()
    assert len(plain) == 32 and wrapped and not kms.fail


def test_lasting_throttling_and_failures_are_said_as_passing(kms: FakeKms) -> None:
    kms.fail = ["ThrottlingException"] * 9
    with pytest.raises(Unavailable, match="throttles"):
        Kms(kms.make_key(), kms.url).generate()
    assert len(kms.fail) == 7
    kms.fail = ["DependencyTimeoutException"] * 9
    with pytest.raises(Unavailable, match="tried again"):
        Kms(kms.make_key(), kms.url).generate()


@pytest.mark.django_db
def test_a_kms_that_says_nothing_is_given_up_soon_and_others_do_not_wait_for_it_again(
    kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cortex.keys.awskms.client.READ_SECONDS", 0.3)
    key_id, blob = get_provider().wrap(KEY, b"")
    kms.latency = 12
    clock = Clock()
    provider, faults = KmsProvider(now=clock), []

    def open_it() -> None:
        try:
            provider.unwrap(key_id, blob, b"")
        except KeyProviderError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    begun = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    # Two tries of .3 s and a pause of 1 s at most, once for all six and not one after the other.
    assert time.monotonic() - begun < 8
    assert len(faults) == 6 and all("does not answer" in str(fault) for fault in faults)
    assert 1 <= kms.calls["Decrypt"] <= 2
    # Later ones don't wait at all: it is asked again aside, and once it answers keys open.
    clock.seconds += 3
    open_it()
    assert len(faults) == 7 and provider._renewing
    kms.latency = 0
    wait_for(lambda: not provider._renewing)
    clock.seconds += 3
    open_it()
    wait_for(lambda: not provider._renewing)
    assert provider.unwrap(key_id, blob, b"") == KEY


@pytest.mark.django_db
def test_a_short_outage_is_not_felt_and_a_long_one_is_after_a_minute(kms: FakeKms) -> None:
    clock = Clock()
    provider = KmsProvider(now=clock)
    key_id, blob = provider.wrap(KEY, b"")
    clock.seconds += 40
    kms.denied = {"Decrypt"}
    assert provider.unwrap(key_id, blob, b"") == KEY
    wait_for(lambda: kms.calls["Decrypt"] == 1 and not provider._renewing)
    kms.denied = set()
    # Tried again after the pause, so that the held key is young once more.
    assert provider.unwrap(key_id, blob, b"") == KEY
    assert kms.calls["Decrypt"] == 1
    clock.seconds += 3
    assert provider.unwrap(key_id, blob, b"") == KEY
    wait_for(lambda: kms.calls["Decrypt"] == 2 and not provider._renewing)
    kms.denied = {"Decrypt"}
    clock.seconds += 59
    assert provider.unwrap(key_id, blob, b"") == KEY
    wait_for(lambda: not provider._renewing)
    clock.seconds += 2
    with pytest.raises(KeyProviderError, match="denied"):
        provider.unwrap(key_id, blob, b"")


def wait_for(done: Any) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.mark.django_db
def test_a_key_that_is_not_listed_is_never_asked(kms: FakeKms, settings: Any) -> None:
    key_id, blob = get_provider().wrap(KEY, b"")
    settings.CORTEX_KMS_KEYS = f"{kms.make_key()},local"
    kms.calls.clear()
    for name in (key_id, "v9"):
        with pytest.raises(UnknownMasterKey):
            get_provider().unwrap(name, blob, b"")
    assert not kms.calls


@pytest.mark.parametrize(
    ("keys", "endpoint", "said"),
    [
        ("alias/cortex", "", "full ARNs"),
        ("arn:aws:kms:eu-central-1:111122223333:alias/cortex", "", "full ARNs"),
        ("local,local", "", "twice"),
        (",", "", "is empty"),
        ("{arn}", "http://kms.example", "must be https"),
        ("{arn}", "nonsense", "must be https"),
    ],
)
def test_settings_that_could_not_work_are_errors_of_the_checks(
    settings: Any, keys: str, endpoint: str, said: str
) -> None:
    arn = "arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012"
    settings.CORTEX_KMS_KEYS, settings.CORTEX_KMS_ENDPOINT = keys.format(arn=arn), endpoint
    (error,) = checks.check_keys()
    assert error.id == "cortex.crypto.E003" and said in error.msg


def test_an_endpoint_without_tls_is_refused_wherever_it_was_set(
    kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://kms.example")
    with pytest.raises(KeyProviderError, match="must be https"):
        Kms(kms.make_key()).generate()


def test_without_boto3_the_check_says_what_to_install(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.keys.awskms.client.find_spec", lambda name: None)
    (error,) = checks.check_keys()
    assert "pip install -r requirements-kms.txt" in error.msg


def test_whoever_keeps_master_keys_elsewhere_never_imports_boto3(child_environment: dict[str, str]) -> None:
    program = (
        "import os, sys, django; django.setup(); from django.core.management import call_command; "
        "call_command('check', '--deploy', '--fail-level', 'CRITICAL'); "
        "from cortex.crypto.provider import get_provider; k, b = get_provider().wrap(b'k' * 32, b''); "
        "get_provider().unwrap(k, b, b''); import cortex.keys.awskms.provider; "
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], env=child_environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def rotate() -> str:
    out = StringIO()
    with stores.role("cortex_system"):
        call_command("keys", "rotate", "--batch", "20", stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_rotation_from_the_environment_to_kms_and_on_under_load_leaves_nothing_behind(
    kms: FakeKms, settings: Any
) -> None:
    first, second = settings.CORTEX_KMS_KEYS, kms.make_key()
    settings.CORTEX_KMS_KEYS = f"local,{first}"
    subjects = [uuid7() for _ in range(60)]
    sealed = sealed_words(subjects)
    assert not kms.calls
    with desk_at_work(sealed, threads=2):
        settings.CORTEX_KMS_KEYS = f"{first},local"
        with stores.role("cortex_system"):
            # A run that was stopped after its first batch.
            assert actions.rewrap_keys(actor=system("tests"), limit=20).done == 20  # type: ignore[union-attr]
        assert "0 left" in rotate()
        settings.CORTEX_KMS_KEYS = f"{second},{first}"
        assert "0 left" in rotate()
    settings.CORTEX_KMS_KEYS = second
    reset_provider()
    cache.forget()
    with stores.role("cortex_system"):
        assert queries.by_master().keys() == {second} and queries.prove().holds
    assert opens(sealed)
    # And back, before somebody deletes the key.
    settings.CORTEX_KMS_KEYS = f"local,{second}"
    assert "0 left" in rotate()
    settings.CORTEX_KMS_KEYS = ""
    cache.forget()
    assert store.ensure_keys(subjects).keys() == set(subjects)


@pytest.mark.django_db
def test_a_rotation_without_kms_stops_with_its_sentence_and_changes_nothing(
    kms: FakeKms, settings: Any, as_system: None
) -> None:
    arn = settings.CORTEX_KMS_KEYS
    settings.CORTEX_KMS_KEYS = f"local,{arn}"
    store.ensure_keys([uuid7()])
    before = queries.by_master()
    settings.CORTEX_KMS_KEYS = f"{arn},local"
    kms.states[arn] = "PendingDeletion"
    with pytest.raises(CommandError, match="waits for its deletion"):
        call_command("keys", "rotate", stdout=StringIO())
    assert queries.by_master() == before
