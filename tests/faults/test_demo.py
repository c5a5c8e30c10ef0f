"""`up --demo` as a newcomer starts it: stopped in the middle of its first load, started again, and used."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from clinical.backoffice import world
from cortex.ops.embedded import superuser_address
from tests.faults.houses import UpRun, house_folder, running, wait_for

pytestmark = pytest.mark.faults
LOADED = "sign in at"


class Books:
    """What the database holds, read past every layer of ours."""

    def __init__(self, folder: Path) -> None:
        address = superuser_address(folder, "main", "cortex")
        self.connection = psycopg.connect(address, autocommit=True)

    def rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()  # type: ignore[arg-type]

    def count(self, query: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {query}")[0][0])  # noqa: S608


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = house_folder("up-demo")
    shutil.rmtree(path, ignore_errors=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def interrupted(folder: Path) -> dict[str, Any]:
    """A first start whose load is ended in the middle; returns what it had written down by then."""
    with running(folder, "--demo") as run:
        books = Books(folder)
        wait_for(lambda: books.count("patients_patient") >= 5, 120, run)
        os.kill(run.pids()["demo"], signal.SIGTERM)
        wait_for(lambda: "the demo couldn't be loaded" in run.output, 60, run)
        assert books.count("patients_patient") < 80
        assert run.is_answering()
    kept: dict[str, Any] = json.loads((folder / "demo.json").read_text())
    assert (kept["complete"], len(kept["sign_ins"]), len(kept["pseudonyms"])) == (False, 12, 80)
    return kept


@pytest.fixture(scope="module")
def house(folder: Path, interrupted: dict[str, Any]) -> Iterator[UpRun]:
    with running(folder, "--demo") as run:
        wait_for(lambda: LOADED in run.output, 600, run)
        yield run


@pytest.fixture(scope="module")
def books(house: UpRun) -> Books:
    return Books(house.data_dir)


def kept(house: UpRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((house.data_dir / "demo.json").read_text())
    return found


def test_a_load_that_was_stopped_is_taken_up_and_nothing_is_there_twice(
    house: UpRun, books: Books, interrupted: dict[str, Any]
) -> None:
    now = kept(house)
    assert now["complete"]
    assert [now[part] for part in ("sign_ins", "pseudonyms")] == [
        interrupted[part] for part in ("sign_ins", "pseudonyms")
    ]
    tables = {
        # The watchdog's own organization and its listener stand beside them.
        "accounts_organization WHERE NOT settings ? 'canary'": 2,
        "accounts_user WHERE full_name <> 'Canary'": 12,
        "patients_patient": 83,  # 80 with their real series, and three who were referred
        "accounts_apiclient": 2,
    }
    assert {table: books.count(table) for table in tables} == tables
    assert books.count("patients_emergencycontact") == 80
    assert books.count("crisis_crisisresource") == len(world.read("people")["resources"])
    double = (
        "(SELECT 1 FROM crisis_evidence WHERE code = 'PHQ_TOTAL' GROUP BY patient_id HAVING count(*) > 1) x"
    )
    assert books.count(double) == 0
    assert (house.data_dir / "demo.json").stat().st_mode & 0o777 == 0o600


def test_everybody_is_marked_as_fictional_by_the_demo_itself(books: Books) -> None:
    assert books.count("accounts_organization WHERE settings->>'fictional' = 'true'") == 2
    assert books.rows("SELECT DISTINCT language FROM patients_patient ORDER BY 1") == [("en",), ("sw",)]


def test_each_persons_days_are_the_real_series(house: UpRun, books: Books) -> None:
    columns = "anonymous_id, mood, sleep_quality, stress_level"
    rows = books.rows(
        f"SELECT {columns} FROM patients_dailycheckin c JOIN patients_patient p ON p.id = c.patient_id "  # noqa: S608
        "ORDER BY c.date"
    )
    now = world.datetime.now(world.UTC)
    for person in world.people(now.date()):
        pseudonym = kept(house)["pseudonyms"][str(person.number)]
        sent = [item for item in world.history(person, pseudonym, now) if item["kind"] == "checkin"]
        expected = [(item["mood"], item["sleep_quality"], item["stress_level"]) for item in sent]
        assert [row[1:] for row in rows if row[0] == pseudonym] == expected


def test_a_printed_sign_in_opens_the_board_and_every_page_says_demo(house: UpRun) -> None:
    karin = next(one for one in kept(house)["sign_ins"] if one["name"].startswith("Karin"))
    with httpx.Client(base_url=f"http://localhost:{house.port}", trust_env=False) as browser:
        entry = browser.get("/accounts/login/").text
        assert "everybody here is fictional" in entry
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', entry)
        assert token is not None
        form = {"login": karin["email"], "password": karin["password"], "csrfmiddlewaretoken": token[1]}
        answer = browser.post("/accounts/login/", data=form, headers={"Referer": str(browser.base_url)})
        assert answer.status_code == 302
        board = browser.get("/board/")
    assert board.status_code == 200
    assert "Live triage" in board.text
    assert "everybody here is fictional" in board.text


def test_an_alert_comes_by_the_api_and_no_mail_is_tried(house: UpRun, books: Books) -> None:
    by_api = "audit_auditlog WHERE event_type = 'intake.taken' AND actor_kind = 'api'"
    wait_for(lambda: books.count(f"{by_api} AND codes->>'alerts' <> '0'") > 0, 60, house)
    assert books.count("crisis_riskalert WHERE source = 'engine'") > 0
    assert books.count("crisis_notificationattempt") > 0
    assert books.count("crisis_notificationattempt WHERE channel = 'email'") == 0
    assert books.count("crisis_riskalert WHERE resolved_at IS NULL") <= 12


def test_everybody_of_the_roster_is_on_shift_and_one_shift_waits(books: Books) -> None:
    states = dict(books.rows(
        "SELECT s.status, count(*) FROM crisis_dutyshift s JOIN accounts_organization o "
        "ON o.id = s.organization_id WHERE NOT o.settings ? 'canary' GROUP BY 1"
    ))  # fmt: skip
    assert states == {"active": 5, "planned": 1}
    assert books.count("crisis_dutyshift WHERE cardinality(covers) = 2 AND agreement <> ''") == 2


def test_a_static_file_and_a_page_leave_no_warning_in_the_log(house: UpRun) -> None:
    with httpx.Client(base_url=f"http://localhost:{house.port}", trust_env=False) as browser:
        style = re.search(r'href="(/static/css/[^"]+)"', browser.get("/accounts/login/").text)
        assert style is not None
        assert browser.get(style[1]).status_code == 200
    assert [line for line in house.lines if "Warning" in line or "Traceback" in line] == []


def test_a_second_start_loads_nothing_again(folder: Path, house: UpRun, books: Books) -> None:
    before, evidence = kept(house), books.count("crisis_evidence WHERE source_type = 'instrument'")
    house.end()
    with running(folder, "--demo") as again:
        wait_for(lambda: LOADED in again.output, 120, again)
        assert "loading fictional people" not in again.output
        assert kept(again) == before
        mine = Books(folder)
        assert mine.count("patients_patient") == 83
        assert mine.count("crisis_evidence WHERE source_type = 'instrument'") == evidence
