"""The code of the release before, on tables that this one's migrations have changed already: it goes on."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests import stores

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

# What the old code does with its own fixtures: a service with people, an intake, the board, a claim.
SMOKE = """
import json, re
import django
django.setup()
from django.test import Client
from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.audit import system
from cortex.ops import children
from tests import cast as players, makers
from django.db import connections

def put_on(role):
    for alias in ("default", "keys"):
        connections[alias].close()
    children.put_on_role(role, 0)

put_on("system")
cast = players.make_cast()
cast.on_duty()
maker = create_client(actor=system("test"), organization_id=cast.home.pk, name="The app")
key = create_key(actor=system("test"), client_id=maker.pk, scopes=["intake:write"]).raw
cookie = makers.session_of(cast.cleo)
put_on("app")
item = {"id": "one", "kind": "message", "patient": cast.patient.anonymous_id, "session": "chat",
        "role": "patient", "text": "I am going to kill myself tonight, I have the pills here"}
told = Client().post("/api/v1/intake", {"items": [item]}, content_type="application/json",
                     headers={"Authorization": f"Api-Key {key}"})
desk = Client()
from django.conf import settings
desk.cookies[settings.SESSION_COOKIE_NAME] = cookie
board = desk.get("/board/")
alert = re.search(r"/alerts/([0-9a-f-]{36})/", board.content.decode())
claim = desk.post(f"/alerts/{alert.group(1)}/claim/", {"next": "board"}) if alert else None
print(json.dumps({"intake": told.status_code, "result": told.json()["items"][0]["result"],
                  "board": board.status_code, "claim": claim.status_code if claim else None}))
"""


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=stores.ROOT, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def release_before() -> str:
    """The commit before the newest one that changed a migration; empty where the history isn't there."""
    newest = git("log", "--first-parent", "-1", "--format=%H", "--", "*/migrations/*.py").decode().strip()
    return git("rev-parse", "--verify", f"{newest}^1").decode().strip() if newest else ""


def test_the_release_before_takes_shows_and_claims_an_alert_on_the_new_tables(tmp_path: Path) -> None:
    before = release_before()
    if not before:
        pytest.skip("this clone has no history")
    old = tmp_path / "old"
    with tarfile.open(fileobj=io.BytesIO(git("archive", before))) as packed:
        packed.extractall(old, filter="data")
    environment = stores.child_environment() | {"PYTHONPATH": str(old), "CORTEX_DB_ROLE": "app"}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"],
        cwd=old, env=environment, check=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SMOKE], cwd=old, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"intake": 200, "result": "stored", "board": 200, "claim": 303}
