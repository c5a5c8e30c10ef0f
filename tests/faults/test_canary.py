"""No words of a person outside their sealed columns: canaries go the whole path, then all is searched."""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from playwright.sync_api import BrowserContext, Page, sync_playwright

from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Role, Scope
from cortex.audit import system
from cortex.ops.embedded import superuser_address
from crisis.alerts.models import Disposition
from crisis.policies.actions import add_pager
from patients.registry.models import Patient
from tests import cast as players
from tests import makers, stores
from tests.browser.conftest import FLAGS
from tests.browsers import chromium_program
from tests.faults.canaries import WAL_PAGE, Eyes, files_below, forms, marker, phone
from tests.faults.room_words import Room, work_in_the_room
from tests.faults.sinks import MailSink, PagerSink, RedisEar
from tests.faults.system import System
from tests.faults.way_words import go_other_ways
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]
CRISIS = "leo usiku nitajiua, nimeandaa kamba"
CLUSTERS = {"main": "cortex_test", "keys": "cortex_keys_test"}
NAMES = (
    "message", "later_message", "checkin", "transcript", "feedback", "activity", "rationale", "tool", "name",
    "family", "contact", "address", "email", "sos", "broken", "search", "hand_note", "contact_note",
    "escalation", "resolution", "no_follow_up",
)  # fmt: skip


@dataclass
class Stage:
    """A running system with everything that it talks to, and the words that must stay inside."""

    system: System
    mail: MailSink
    pager: PagerSink
    ear: RedisEar
    profile: Path
    planted: str = field(default_factory=marker)
    seed: str = field(default_factory=marker)
    words: dict[str, str] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)

    @property
    def redis(self) -> redis.Redis:
        """A line to the system's Redis."""
        return redis.Redis.from_url(self.system.redis.url)


class Heard(PrivateRedis):
    """A Redis that writes every command to its append-only file."""

    def start(self) -> None:
        super().start()
        line = redis.Redis(unix_socket_path=str(self.socket))
        line.config_set("dir", str(self.socket.parent))
        line.config_set("appendonly", "yes")
        line.close()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Start web, worker, sweeper, Redis, a mail server and a pager service."""
    mail, pager = MailSink(), PagerSink()
    monkeypatch.setenv("EMAIL_URL", mail.url)
    monkeypatch.setenv("CORTEX_PAGER_ALLOW_PRIVATE", "1")
    running = System(tmp_path, Heard(tmp_path))
    try:
        running.start()
        ear = RedisEar(str(running.redis.socket))
        yield Stage(running, mail, pager, ear, tmp_path / "profile")
        ear.close()
    finally:
        running.stop()
        mail.shutdown()
        pager.shutdown()


def test_the_words_of_a_person_lie_in_no_store_log_queue_mail_or_browser(stage: Stage) -> None:
    seed = stage.seed
    stage.words = {name: f"{seed}{name.replace('_', '')}" for name in NAMES}
    stage.words |= {"phone": phone(), "contact_phone": phone()}
    cast = players.make_cast()
    cast.on_duty()
    _house(stage, cast)
    raw = create_key(
        actor=system("test"), scopes=list(Scope.values),
        client_id=create_client(actor=system("test"), organization_id=cast.home.pk, name="The app").pk,
    ).raw  # fmt: skip
    patient = _send_everything(stage, raw)
    _work_it_by_the_pages(stage, cast, patient)
    _plant_for_the_eyes(stage)
    _wait_for_notifications(stage)
    phones = {name: stage.words[name].removeprefix("+254") for name in ("phone", "contact_phone")}
    eyes = Eyes({"eyes": stage.planted, "words": seed} | phones)
    _search(stage, eyes)
    _prove_the_eyes(eyes)
    leaks = sorted(one for one in eyes.found if one[1] != "eyes")
    assert leaks == [], [(one, _which(stage, one)) for one in leaks]


def test_the_eyes_find_a_word_that_stands_on_both_sides_of_a_page_of_the_log(tmp_path: Path) -> None:
    word, long_header, header = marker().encode(), b"\0\0\2\0" + b"\0" * 36, b"\0" * 24
    first = long_header + b"." * (WAL_PAGE - len(long_header) - 3) + word[:3]
    second = (header + word[3:]).ljust(WAL_PAGE, b".")
    (tmp_path / "000000010000000000000001").write_bytes(first + second)
    eyes = Eyes({"eyes": word.decode()})
    eyes.look_at_files("files", tmp_path.iterdir())
    assert eyes.found == set()
    eyes.look_at_wal("log", tmp_path)
    assert eyes.codings("log", "eyes") == {"plain"}


def _house(stage: Stage, cast: players.Cast) -> None:
    """Two pagers, one of which fails."""
    makers.scope_all()
    for name, path in (("Pager", "/ok"), ("Dead pager", "/down")):
        add_pager(actor=makers.staff(cast.ada), name=name, url=stage.pager.url(path), secret="s" * 40)


def _send_everything(stage: Stage, raw: str) -> str:
    """Register the person and send every kind of item that carries words; return the pseudonym."""
    word = stage.words
    with httpx.Client(
        base_url=stage.system.origin, headers={"Authorization": f"Api-Key {raw}"}, timeout=20
    ) as app:
        made = app.post("/api/v1/patients", headers={"Idempotency-Key": "canary-0001"}, json={
            "language": "sw", "timezone": "Africa/Nairobi", "given_name": word["name"],
            "family_name": word["family"], "email": f"{word['email']}@example.org", "phone": word["phone"],
            "home_address": f"12 {word['address']} Lane",
            "contacts": [{"name": word["contact"], "phone": word["contact_phone"], "relationship": "kin"}],
            "consents": [{"consent_type": kind, "granted": True} for kind in makers.CONSENTS],
        })  # fmt: skip
        assert made.status_code == 201, made.text
        who = made.json()["patient"]
        item = {"patient": who, "session": "s1"}
        batch = [
            {"kind": "session_started", "session_kind": "voice_checkin", **item},
            {"kind": "message", "role": "patient", "text": f"{CRISIS}, {word['message']}", **item},
            {"kind": "transcript", "text": f"Leo nimechoka {word['transcript']}", **item},
            {"kind": "feedback", "satisfaction": 2, "text": f"Sio {word['feedback']}", **item},
            {"kind": "activity", "activity_type": "writing", "text": f"Naandika {word['activity']}", **item},
            {"kind": "checkin", "patient": who, "date": f"{makers.now():%Y-%m-%d}", "mood": 1,
             "notes": f"Usiku mbaya {word['checkin']}"},
            {"kind": "tool_action", "tool_name": "timer", "status": "failed", "error": word["tool"], **item},
            {"kind": "rationale", "patient": who, "message": "c-1",
             "citations": [{"ref": word["rationale"]}]},
            {"kind": "message", "role": "patient",
             "text": f"Simu yangu ni {word['phone']}, {word['later_message']}", **item},
        ]  # fmt: skip
        items = [{"id": f"c-{number}", **one} for number, one in enumerate(batch)]
        for _ in range(2):  # the second answer comes from what was kept of the first
            sent = app.post(
                "/api/v1/intake", headers={"Idempotency-Key": "canary-0002"}, json={"items": items}
            )
            assert sent.status_code == 200, sent.text
            assert {one["result"] for one in sent.json()["items"]} == {"stored"}, sent.text
        pressed = app.post("/api/v1/sos", json={"patient": who, "text": word["sos"]})
        assert pressed.status_code == 200, pressed.text
        broken = f'{{"items": [{{"text": "{word["broken"]}", "text": "{word["broken"]}"}}]'
        assert app.post(
            "/api/v1/intake", content=broken, headers={"Content-Type": "application/json"}
        ).is_error
        wrong = {"items": [dict.fromkeys(("patient", "role", "text", word["broken"]), word["broken"])
                           | {"id": "c-99", "kind": "message"}]}  # fmt: skip
        assert app.post("/api/v1/intake", json=wrong).status_code == 200
    return str(who)


def _work_it_by_the_pages(stage: Stage, cast: players.Cast, patient: str) -> None:
    """Work alerts as Cleo and a chart as Alice in one browser, and search the back office as Ada."""
    word = stage.words
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(stage.profile), executable_path=chromium_program(), args=FLAGS, headless=True
        )
        page = context.pages[0]
        _sign_in(stage, page, cast.cleo.email)
        page.goto(f"{stage.system.origin}/board/")
        page.locator("[data-live][data-s=live]").first.wait_for()
        link = page.locator(f"a[href^='/alerts/']:has-text('{patient}')").first
        path = link.get_attribute("href") if link.count() else None
        page.goto(stage.system.origin + (path or _first_alert()))
        page.keyboard.press("c")
        page.get_by_text(word["name"]).first.wait_for()
        _fill(page, "n", "Contact made", {"What happened": f"At home, {word['contact_note']}"}, "Log contact")
        _fill(page, "e", "Escalate", {"Why": f"Not alone, {word['escalation']}"}, "Escalate now")
        page.keyboard.press("r")
        dialog = page.get_by_role("dialog", name="Resolve")
        dialog.get_by_label("Outcome").select_option(Disposition.COMMUNITY)
        dialog.get_by_label("What it turned out to be").select_option("true_crisis")
        dialog.get_by_label("Closing note").fill(f"With her brother, {word['resolution']}")
        dialog.get_by_label("Why there is no follow-up").fill(f"She moves, {word['no_follow_up']}")
        dialog.get_by_role("button", name="Resolve", exact=True).click()
        page.get_by_text("Resolved").first.wait_for()
        _go_other_ways(stage, cast, page, patient)
        _treat(stage, cast, page, patient)
        page.context.clear_cookies()
        _sign_in(stage, page, cast.cleo.email)
        page.goto(f"{stage.system.origin}/alerts/new/")
        page.get_by_label("Person on record").fill(patient)
        page.get_by_label("How urgent").select_option("critical")
        page.get_by_label("What it is about").select_option("self_harm")
        page.get_by_label("What you were told").fill(f"A neighbour rang, {word['hand_note']}")
        page.get_by_role("button", name="Raise").click()
        page.wait_for_url("**/alerts/*-*/**")
        page.evaluate("(word) => localStorage.setItem('canary', word)", stage.planted)
        stage.said["browser storage"] = _storage(context)
        context.close()
    _search_as_ada(stage, cast)


def _go_other_ways(stage: Stage, cast: players.Cast, page: Page, patient: str) -> None:
    """Let supervisor, another therapist and compliance write about the person, in the same browser."""
    makers.scope_all()
    room = Room(page, stage.system.origin, str(Patient.objects.get(anonymous_id=patient).pk), stage.seed)

    def sign_in(email: str) -> None:
        page.context.clear_cookies()
        _sign_in(stage, page, email)

    judge = makers.make_user(Role.COMPLIANCE, cast.home, email="cora@example.org")
    go_other_ways(room, cast, judge.email, sign_in)
    stage.words |= {f"room {one}": one for one in room.typed}


def _treat(stage: Stage, cast: players.Cast, page: Page, patient: str) -> None:
    """Treat the person as Alice, in the browser that Cleo has used, and end the care."""
    makers.scope_all()
    row = Patient.objects.get(anonymous_id=patient)
    makers.add_to_team(row, cast.alice)
    page.context.clear_cookies()
    _sign_in(stage, page, cast.alice.email)
    room = Room(page, stage.system.origin, str(row.pk), stage.seed)
    work_in_the_room(room)
    stage.words |= {f"room {one}": one for one in room.typed}


def _first_alert() -> str:
    with psycopg.connect(superuser_address(stores.DATA_DIR, "main", CLUSTERS["main"])) as line:
        row = line.execute("SELECT id FROM crisis_riskalert WHERE kind = 'self_harm'").fetchone()
    assert row is not None
    return f"/alerts/{row[0]}/"


def _sign_in(stage: Stage, page: Page, email: str) -> None:
    page.goto(stage.system.origin)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(makers.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


def _fill(page: Page, key: str, name: str, fields: dict[str, str], button: str) -> None:
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name=name)
    for label, text in fields.items():
        dialog.get_by_label(label).fill(text)
    dialog.get_by_role("button", name=button).click()
    page.get_by_text(next(iter(fields.values()))).first.wait_for()


def _storage(context: BrowserContext) -> bytes:
    """Return what the pages keep in the browser: cookies, storages, names of caches and databases."""
    kept: list[Any] = [context.cookies()]
    for page in context.pages:
        kept.append(page.evaluate(
            "async () => [Object.entries(localStorage), Object.entries(sessionStorage),"
            " 'caches' in self ? await caches.keys() : [],"
            " indexedDB.databases ? (await indexedDB.databases()).map((one) => one.name) : []]"
        ))  # fmt: skip
    return json.dumps(kept, ensure_ascii=False).encode()


def _search_as_ada(stage: Stage, cast: players.Cast) -> None:
    """Search the back office by a phone number and by a word, by its form and, unasked, by an address."""
    name, _, value = makers.cookie_of(cast.ada).partition("=")
    people, origin = "/admin/patients/patient/", stage.system.origin
    with httpx.Client(base_url=origin, cookies={name: value}, timeout=20, follow_redirects=True) as office:
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', office.get(people).text)[0]
        for term in (stage.words["phone"], f"{stage.words['email']}@example.org", stage.words["search"]):
            typed = {"find": term, "csrfmiddlewaretoken": token}
            assert office.post(people, data=typed, headers={"Origin": origin}).status_code == 200
            assert office.get(people, params={"q": term}).status_code == 200


def _wait_for_notifications(stage: Stage) -> None:
    """Let mails and calls go out, and a call to the broken pager end as a dead letter."""
    wait_until(
        lambda: {"/ok", "/down"} <= set(stage.pager.calls) and b"Subject: Cortex" in stage.mail.kept, 90
    )
    with psycopg.connect(
        superuser_address(stores.DATA_DIR, "main", CLUSTERS["main"]), autocommit=True
    ) as line:
        # Calls about what somebody has claimed meanwhile are overtaken; the last alert still waits.
        failed = ("SELECT 1 FROM crisis_notificationattempt n JOIN crisis_riskalert a ON a.id = n.alert_id"
                  " WHERE channel = 'webhook' AND state = 'failed' AND a.assigned_to_id IS NULL")  # fmt: skip
        wait_until(lambda: line.execute(failed).fetchone() is not None, 90)
        line.execute("UPDATE crisis_notificationattempt SET tries = 9, next_try_at = clock_timestamp()"
                     " WHERE channel = 'webhook' AND state = 'failed'")  # fmt: skip
        dead = "SELECT 1 FROM crisis_notificationattempt WHERE state = 'dead'"
        wait_until(lambda: line.execute(dead).fetchone() is not None, 90)
        rows = line.execute("SELECT to_jsonb(one)::text FROM crisis_notificationattempt one").fetchall()
    stage.said["attempts"] = "\n".join(row[0] for row in rows).encode()


def _plant_for_the_eyes(stage: Stage) -> None:
    """Plant one word wherever the search must be able to find one, in every coding."""
    word = stage.planted
    for cluster, name in CLUSTERS.items():
        with psycopg.connect(superuser_address(stores.DATA_DIR, cluster, name), autocommit=True) as line:
            line.execute("CREATE TABLE canary_eyes (words text, raw bytea)")
            line.execute("INSERT INTO canary_eyes (words) VALUES (%s)", [f"a plain column, {word}"])
            for coded in forms(word).values():
                line.execute("INSERT INTO canary_eyes (raw) VALUES (%s)", [b"<" + coded + b">"])
            line.execute(f"DO $$ BEGIN RAISE LOG 'canary {word}'; END $$")  # type: ignore[arg-type]
    with stage.system.children["web"].log.open("a") as log:
        log.write(json.dumps({"event": f"a log line, {word}"}) + "\n")
    stage.redis.set("canary", word)
    stage.redis.publish("canary", word)
    with smtplib.SMTP("127.0.0.1", stage.mail.port) as post:
        post.sendmail("a@example.org", ["b@example.org"], f"Subject: {word}\r\n\r\nA mail.\r\n")
    httpx.post(stage.pager.url("/ok"), content=word)


def _search(stage: Stage, eyes: Eyes) -> None:
    """Flush everything to its files, then look at each place."""
    folder = stage.system.folder
    stage.redis.save()
    for cluster, name in CLUSTERS.items():
        with psycopg.connect(superuser_address(stores.DATA_DIR, cluster, name), autocommit=True) as line:
            line.execute("SELECT pg_switch_wal()")
            home = Path(line.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
            wal = home / "pg_wal"
            eyes.look_at_wal(f"{cluster} wal", wal)  # a checkpoint may do away with what lies before it
            line.execute("CHECKPOINT")
        eyes.look_at_files(f"{cluster} log", [home.with_name(f"{home.name}.log")])
        eyes.look_at_files(f"{cluster} data", (one for one in files_below(home) if wal not in one.parents))
    eyes.look_at_files("process logs", folder.glob("*.log"))
    eyes.look("redis keys", _redis_keys(stage.redis))
    eyes.look_at_files("redis snapshot", folder.glob("*.rdb"))
    eyes.look_at_files("redis journal", folder.rglob("*.aof*"))
    eyes.look("redis commands", bytes(stage.ear.kept))
    eyes.look("mail", bytes(stage.mail.kept))
    eyes.look("pager", bytes(stage.pager.kept))
    for place, said in stage.said.items():
        eyes.look(place, said)
    eyes.look_at_files("browser profile", files_below(stage.profile))
    eyes.look_at_files("house files", (one for one in stores.DATA_DIR.glob("*") if one.is_file()))


def _redis_keys(line: redis.Redis) -> bytes:
    kept = bytearray()
    for key in line.scan_iter(count=1000):
        kept += key + b"=" + (line.dump(key) or b"") + b"\n"
    return bytes(kept)


def _prove_the_eyes(eyes: Eyes) -> None:
    """The planted word was found in every place and coding, so that finding nothing means something."""
    places = {"main data", "main wal", "main log", "keys data", "keys wal", "keys log", "process logs",
              "redis keys", "redis snapshot", "redis journal", "redis commands", "mail", "pager",
              "browser storage", "browser profile"}  # fmt: skip
    assert places - eyes.places("eyes") == set()
    for cluster in CLUSTERS:
        for place in (f"{cluster} data", f"{cluster} wal"):
            assert eyes.codings(place, "eyes") == set(forms("x")), place


def _which(stage: Stage, leak: tuple[str, str, str]) -> list[str]:
    """Return which canaries a leaky place holds, for the message of a failure."""
    again = Eyes(stage.words)
    _search(stage, again)
    return sorted({name for place, name, _ in again.found if place == leak[0]})
