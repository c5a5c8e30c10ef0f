"""Second factors: an app from set-up to sign-in, recovery codes, the throttle, removal, reset by others."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, connections
from django.test import Client

from cortex.accounts.factors import actions
from cortex.accounts.factors.adapter import SUBJECT, existing
from cortex.accounts.factors.codes import open_secret, sealed
from cortex.accounts.models import LoginAttempt, Role, SessionState
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.audit.rules import RuleBroken
from cortex.crypto.errors import DecryptError, KeyProviderError
from cortex.crypto.keys import DataKey
from tests.unit.accounts.conftest import LOCKED, People, make_user, sign_in, verbs
from tests.unit.accounts.factors import (
    app,
    at_home,
    code_of,
    give,
    second_step,
    set_up_app,
    wait_for_a_step,
    wrong_code,
)

pytestmark = pytest.mark.django_db
__all__ = ["app"]
NOT_RIGHT = "That is not right"
CLIENT = b'{"type":"webauthn.get","challenge":"AA","origin":"http://testserver"}'
BROKEN_CBOR = (b"\x19\x01", b"\x81" * 5000)  # a number cut short, lists without an end


def test_a_person_with_an_app_is_nobody_until_the_code_is_given(people: People, app: Any) -> None:
    secret, _ = app
    client = Client()
    response = sign_in(client, "cleo@example.org")
    assert response["Location"] == "/accounts/factor/"
    assert client.get("/me/").status_code == 302 and "_auth_user_id" not in client.session
    before = client.session.session_key
    assert give(client, code_of(secret)).status_code == 302
    assert client.get("/me/").status_code == 200
    assert client.session.session_key != before
    assert SessionState.objects.get(session_key=client.session.session_key).factor_passed_at
    assert verbs("factor.") == ["factor.added", "factor.added", "factor.used"]


def test_set_up_shows_ten_codes_once_and_a_wrong_code_sets_nothing_up(people: People) -> None:
    client = at_home("cleo@example.org")
    client.get("/me/factors/app")
    wrong = client.post("/me/factors/app", {"code": "123456789", "name": "Mine"})
    assert wrong.status_code == 422
    assert "123456789" not in wrong.content.decode() and 'value="Mine"' in wrong.content.decode()
    assert not Authenticator.objects.exists()
    _, codes = set_up_app(client)
    assert len(set(codes)) == 10 and all(len(code) == 10 for code in codes)
    page = client.get("/me/").content.decode()
    assert "10 of 10 left" in page and not any(code in page for code in codes)


def test_a_wrong_code_is_told_and_recorded(people: People, app: Any) -> None:
    client, response = second_step("cleo@example.org", wrong_code(app[0]))
    assert response.status_code == 422 and NOT_RIGHT in response.content.decode()
    assert "_auth_user_id" not in client.session
    row = AuditLog.objects.get(event_type="factor.refused")
    assert row.codes == {"why": "wrong"} and row.outcome == "refused" and row.object_id == people.cleo.pk


def test_a_code_counts_once_also_for_the_step_before_it(people: People, app: Any) -> None:
    wait_for_a_step()
    code, older = code_of(app[0]), code_of(app[0], -1)
    assert second_step("cleo@example.org", code)[1].status_code == 302
    for again in (code, older):
        assert second_step("cleo@example.org", again)[1].status_code == 422
    assert [row.codes["why"] for row in AuditLog.objects.filter(event_type="factor.refused")] == [
        "replayed",
        "replayed",
    ]


def test_a_code_two_steps_away_is_refused(people: People, app: Any) -> None:
    assert second_step("cleo@example.org", code_of(app[0], 3))[1].status_code == 422


def test_a_recovery_code_opens_once(people: People, app: Any) -> None:
    _, codes = app
    client, response = second_step("cleo@example.org", f" {codes[3][:5]} {codes[3][5:]} ")
    assert response.status_code == 302
    assert AuditLog.objects.get(event_type="factor.used").codes == {"kind": "recovery_codes", "left": 9}
    assert second_step("cleo@example.org", codes[3])[1].status_code == 422
    assert "9 of 10 left" in client.get("/me/").content.decode()


def test_new_recovery_codes_end_the_old_ones(people: People, app: Any) -> None:
    client, _ = second_step("cleo@example.org", code_of(app[0]))
    page = client.post("/me/factors/codes")
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    assert second_step("cleo@example.org", app[1][0])[1].status_code == 422
    assert verbs("factor.")[-2:] == ["factor.codes_renewed", "factor.refused"]


def test_five_wrong_codes_lock_and_the_right_password_frees_nothing(people: People, app: Any) -> None:
    secret, codes = app
    for _ in range(5):  # each after the right password
        assert second_step("cleo@example.org", wrong_code(secret))[1].status_code == 422
    _, response = second_step("cleo@example.org", code_of(secret))
    assert response.status_code == 422 and LOCKED in response.content.decode()
    assert LOCKED in second_step("cleo@example.org", codes[0])[1].content.decode()
    people.cleo.refresh_from_db()
    assert people.cleo.is_locked
    locked = AuditLog.objects.get(event_type="account.locked")
    assert locked.codes == {"locks": "account", "by": "factor"}


def test_the_lock_ends_by_time_or_by_a_supervisor(people: People, app: Any) -> None:
    secret, _ = app
    for _ in range(5):
        second_step("cleo@example.org", wrong_code(secret))
    sam = at_home("sam@example.org")
    assert sam.post(f"/staff/{people.cleo.pk}/unlock").status_code == 303
    assert second_step("cleo@example.org", code_of(secret))[1].status_code == 302


def test_a_lock_of_codes_is_over_after_fifteen_minutes(people: People, app: Any) -> None:
    for _ in range(5):
        second_step("cleo@example.org", wrong_code(app[0]))
    for row in LoginAttempt.objects.all():
        LoginAttempt.objects.filter(pk=row.pk).update(at=row.at - timedelta(minutes=16))
    assert second_step("cleo@example.org", code_of(app[0]))[1].status_code == 302


def test_five_accounts_whose_codes_fail_lock_the_network(people: People, app: Any) -> None:
    there = {"REMOTE_ADDR": "203.0.113.9"}
    waiting = Client(**there)
    sign_in(waiting, "cleo@example.org")
    for number in range(5):
        colleague = make_user(people.home, Role.COUNSELOR, f"guess{number}")
        secret, _ = set_up_app(at_home(colleague.email))
        assert second_step(colleague.email, wrong_code(secret), Client(**there))[1].status_code == 422
    assert LOCKED in give(waiting, code_of(app[0])).content.decode()
    locked = AuditLog.objects.get(event_type="account.locked")
    assert locked.codes == {"locks": "network", "by": "factor"}
    assert second_step("cleo@example.org", code_of(app[0]))[1].status_code == 302  # from somewhere else


def test_no_secret_stands_anywhere_in_the_database_in_the_clear(people: People) -> None:
    client = at_home("cleo@example.org")
    client.get("/me/factors/app")
    waiting = client.session["accounts_factor_pending"]
    assert waiting.startswith("sealed:")
    secret, codes = set_up_app(client)
    everything = "\n".join(dump())
    assert "factor.added" in everything and secret not in everything
    assert not [code for code in codes if code in everything]
    for row in Authenticator.objects.all():
        kept = row.data.get("secret") or row.data["seed"]
        assert open_secret(people.cleo.pk, kept) and open_secret(people.cleo.pk, kept) not in everything


def dump() -> list[str]:
    """Every row of every table as text, sessions decoded."""
    from django.contrib.sessions.models import Session

    lines = [json.dumps(session.get_decoded(), default=str) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608 (its own tables)
            lines += [row for (row,) in cursor.fetchall()]
    return lines


def test_a_sealed_secret_opens_for_its_owner_alone_and_plaintext_never(people: People) -> None:
    text = sealed(people.cleo.pk, "JBSWY3DPEHPK3PXP")
    assert open_secret(people.cleo.pk, text) == "JBSWY3DPEHPK3PXP"
    broken = text[:-8] + ("AAAA" if text[-8:-4] != "AAAA" else "BBBB") + text[-4:]
    for owner, kept in ((people.sam.pk, text), (people.cleo.pk, broken), (people.cleo.pk, "JBSWY3DP")):
        with pytest.raises(DecryptError):
            open_secret(owner, kept)


def test_the_key_of_the_factors_is_nobodys_orphan(people: People) -> None:
    sealed(people.cleo.pk, "x")
    assert existing([SUBJECT, people.cleo.pk]) == {SUBJECT}


def test_a_new_phone_replaces_the_old_one(people: People, app: Any) -> None:
    secret, _ = app
    client, _ = second_step("cleo@example.org", code_of(secret))
    assert "takes the place of" in client.get("/me/factors/app").content.decode()
    fresh, codes = set_up_app(client)
    assert codes == [] and fresh != secret
    assert Authenticator.objects.filter(type="totp").count() == 1
    assert second_step("cleo@example.org", code_of(secret, 1))[1].status_code == 422
    assert second_step("cleo@example.org", code_of(fresh))[1].status_code == 302
    assert "factor.removed" in verbs("factor.")


def test_one_removes_ones_own_factor_but_not_another_persons(people: People, app: Any) -> None:
    factor = Authenticator.objects.get(type="totp")
    assert at_home("sam@example.org").post("/me/factors/remove", {"factor": factor.pk}).status_code == 404
    client, _ = second_step("cleo@example.org", code_of(app[0]))
    assert client.post("/me/factors/remove", {"factor": factor.pk}).status_code == 303
    assert not Authenticator.objects.exists()  # the codes stand in for nothing and go too
    gone = AuditLog.objects.filter(event_type="factor.removed").order_by("id")
    assert [row.codes for row in gone] == [
        {"kind": "totp", "why": "own"},
        {"kind": "recovery_codes", "why": "last_factor"},
    ]


def test_the_last_factor_stays_where_one_is_required(people: People, app: Any) -> None:
    people.home.settings = {"mfa_required_roles": ["counselor"]}
    people.home.save()
    client, _ = second_step("cleo@example.org", code_of(app[0]))
    factor = Authenticator.objects.get(type="totp")
    page = client.get("/me/").content.decode()
    assert "Remove<" not in page and "The last factor stays" in page
    assert client.post("/me/factors/remove", {"factor": factor.pk}).status_code == 409
    assert Authenticator.objects.filter(pk=factor.pk).exists()


def letters(content: bytes) -> str:
    """Bytes as browsers send them."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def answer_of(**response: str) -> str:
    """An answer of the right shape around what a key says."""
    return json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})


def test_what_is_no_answer_of_a_key_is_refused_and_counted(people: People, app: Any) -> None:
    client = Client()
    sign_in(client, "cleo@example.org")
    answers = ("{}", '{"id":"AA"}', '{"id":"AA","rawId":"AA","type":"public-key","response":{}}')
    broken = [letters(bytes(32) + b"\x80" + bytes(4) + cbor) for cbor in BROKEN_CBOR]
    parts = [
        {"clientDataJSON": letters(CLIENT), "authenticatorData": one, "signature": "AA"} for one in broken
    ]
    for answer in (*answers, *(answer_of(**one) for one in parts)):
        assert client.post("/accounts/factor/", {"credential": answer}).status_code == 422
    assert verbs("factor.").count("factor.refused") == 4  # empty ones are not sent to be checked
    assert not LoginAttempt.objects.filter(outcome="tried").exists()
    cleo, _ = second_step("cleo@example.org", code_of(app[0]))
    shapeless = ("{}", '{"response":{"clientDataJSON":"AA","attestationObject":"AA"}}', "nothing")
    made = [answer_of(clientDataJSON=letters(CLIENT), attestationObject=letters(one)) for one in BROKEN_CBOR]
    for answer in (*shapeless, *made):
        assert cleo.post("/me/factors/key", {"credential": answer}).status_code == 422
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_what_is_no_json_object_or_too_long_is_refused_at_every_door_of_a_key(
    people: People, app: Any
) -> None:
    waiting = Client()
    sign_in(waiting, "cleo@example.org")
    cleo, _ = second_step("cleo@example.org", code_of(app[0]))
    doors = (
        (waiting, "/accounts/factor/"),
        (cleo, "/accounts/reauthenticate/factor/"),
        (cleo, "/me/factors/key"),
    )
    strange = (
        "5",
        "true",
        '"x"',
        "[1]",
        "1" * 5000,
        "[" * 3000,
        '{"a":' * 2000,
        '{"id":"' + "A" * 200_000 + '"}',
    )
    for client, path in doors:
        assert {client.post(path, {"credential": answer}).status_code for answer in strange} == {422}
    assert "factor.refused" not in verbs("factor.")  # none of it was worth checking


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_with_one_code_at_the_same_moment_one_comes_in(people: People) -> None:
    secret, codes = set_up_app(at_home("cleo@example.org"))
    clients = [Client() for _ in range(2)]
    for client in clients:
        sign_in(client, "cleo@example.org")

    def knock(client: Client, code: str) -> int:
        try:
            return int(give(client, code).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(knock, clients, [code_of(secret)] * 2)) == [302, 422]
    others = [Client() for _ in range(2)]
    for client in others:
        sign_in(client, "cleo@example.org")
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(knock, others, [codes[0]] * 2)) == [302, 422]


def test_recovery_codes_need_something_that_they_stand_in_for(people: People) -> None:
    with pytest.raises(RuleBroken):
        actions.renew_codes(actor=actor_of_user(people.cleo))


def test_while_the_keys_are_away_codes_wait_and_nobody_is_locked_out(
    people: People, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise KeyProviderError("no answer")

    client = Client()
    sign_in(client, "cleo@example.org")
    with monkeypatch.context() as broken:
        broken.setattr("cortex.accounts.factors.adapter.data_keys", away)
        assert [give(client, code_of(app[0])).status_code for _ in range(6)] == [503] * 6
    assert give(client, code_of(app[0])).status_code == 302


@pytest.mark.parametrize("kept", [{}, {SUBJECT: [DataKey(SUBJECT, 1, bytes(32))]}], ids=["lost", "another"])
def test_with_the_key_lost_or_another_one_a_code_locks_nobody_out_and_says_what_helps(
    people: People, app: Any, monkeypatch: pytest.MonkeyPatch, kept: dict[Any, Any]
) -> None:
    client = Client()
    sign_in(client, "cleo@example.org")
    with monkeypatch.context() as broken:
        broken.setattr("cortex.accounts.factors.adapter.data_keys", lambda subjects: kept)
        answers = [give(client, code) for code in [code_of(app[0])] * 3 + [app[1][0]] * 3]
    assert [one.status_code for one in answers] == [503] * 6
    assert all("ask a supervisor or administrator to reset" in one.content.decode() for one in answers)
    assert give(client, code_of(app[0])).status_code == 302


def test_no_secret_and_no_code_stands_in_a_log_line(
    people: People, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    client = at_home("cleo@example.org")
    secret, codes = set_up_app(client)
    _, answer = second_step("cleo@example.org", wrong_code(secret))
    assert answer.status_code == 422
    second_step("cleo@example.org", codes[0])
    out = "".join(capfd.readouterr()) + caplog.text
    assert "accounts/factor/" in out
    for word in (secret, wrong_code(secret), *codes):
        assert word not in out.replace(people.cleo.pk.hex, "")
