"""Loads the demo by the real actions, so that what it shows went the way that everything goes."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from clinical.backoffice import plans, queries, shifts, world
from clinical.backoffice.actions import add_appointments, add_person, add_tariffs
from clinical.backoffice.papers import make_papers
from clinical.backoffice.safety import make_safety_plans
from clinical.backoffice.ways import make_ways
from clinical.notes.actions import save_block
from cortex.accounts.actions import create_organization, create_user, update_organization
from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.apikeys.queries import client_named
from cortex.accounts.choices import Role, Scope
from cortex.accounts.factors.required import SETTING as FACTOR_RULE
from cortex.accounts.models import Organization, User
from cortex.accounts.queries import user_by_email
from cortex.audit.actors import actor_of_user
from cortex.ops.local_secrets import write_private
from crisis.intake.parcels import Parcel
from crisis.resources.actions import add_resource
from crisis.risk.actions import install_lexicon
from crisis.risk.textmodel import ModelState, text_model
from patients.privacy.records import ConsentData
from patients.registry.models import new_pseudonym
from patients.registry.queries import by_pseudonyms
from patients.registry.records import ContactData, PreferenceData, RegisterPatient, age_on

CONSENTS = ("treatment", "privacy_notice", "voice_processing", "emergency_contact", "care_team_sharing")
CLIENT = "Demo app (fictional)"
# How long the people of the demo have been in care.
CARE = timedelta(days=42)
PIN = "271828"
Say = Callable[[str], None]


class Demo:
    """The fictional world and the file of its sign-ins, keys and pseudonyms.

    The file is written before anything is made and says that the load isn't complete, so that a load that
    was stopped is taken up where it stood: what is there is found by slug, e-mail and pseudonym.
    """

    def __init__(self, path: Path, say: Say) -> None:
        self.path = path
        self.say = say
        self.now = datetime.now(UTC)
        self.kept: dict[str, Any] = read_file(path)
        self.organizations: dict[str, Organization] = {}
        self.staff: dict[str, list[User]] = {}

    def load(self) -> None:
        """Make what is missing, and give the roster its next shifts; nothing is made twice."""
        there = shifts.organizations()
        if there and not self.kept:
            raise CommandError(
                f"The demo's people are in the database, but {self.path} with their sign-ins is gone: put it "
                "back, or delete both with `python manage.py clean_data --yes` and begin anew."
            )
        if not there or not self.kept["complete"]:
            self.say("loading fictional people; this takes a moment, once")
            self._load()
        self._spare_second_factor()
        if renewed := shifts.renew_shifts(self.now):
            self.say(f"{renewed} shifts of 12 hours")

    def _load(self) -> None:
        self.kept = {**fresh(), **self.kept, "complete": False}
        self._write()
        install_lexicon(actor=shifts.machine())
        self._make_organizations()
        self._make_staff()
        shifts.renew_shifts(self.now)
        self._make_patients()
        self._make_phrases()
        self._make_ways()
        self.kept["complete"] = True
        self._write()

    def _make_organizations(self) -> None:
        source = world.read("people")
        for one in source["organizations"]:
            settings = {
                "desk_phone": one["desk_phone"],
                "notify_by_email": False,
                "fictional": True,
                # Printed passwords must be enough to look around; a real service asks for a second factor.
                FACTOR_RULE: [],
            }
            if (model := text_model()) is not None:
                settings["text_models"] = {model.version: str(ModelState.SHADOW)}
            organization = queries.organization(one["slug"]) or create_organization(
                actor=shifts.machine(), name=one["name"], slug=one["slug"], settings=settings
            )
            self.organizations[one["slug"]] = organization
            self._issue_key(organization)
        for line in source["resources"]:
            if not queries.has_resource(line["name"]):
                add_resource(actor=shifts.machine(), **line)

    def _spare_second_factor(self) -> None:
        """Let a demo of an older version be entered by its printed passwords too."""
        for organization in shifts.organizations().values():
            if FACTOR_RULE not in organization.settings:
                update_organization(
                    actor=shifts.machine(organization),
                    organization_id=organization.pk,
                    settings={**organization.settings, FACTOR_RULE: []},
                )

    def _issue_key(self, organization: Organization) -> None:
        """Issue the fictional app's key; a lost one can't be read again, so it gets another."""
        actor = shifts.machine(organization)
        client = client_named(organization.pk, CLIENT)
        if client is not None and organization.slug in self.kept["keys"]:
            return
        client = client or create_client(actor=actor, organization_id=organization.pk, name=CLIENT)
        issued = create_key(actor=actor, client_id=client.pk, scopes=list(Scope.values))
        self.kept["keys"][organization.slug] = issued.raw
        self._write()

    def _make_staff(self) -> None:
        passwords = {one["email"]: one["password"] for one in self.kept["sign_ins"]}
        for slug, role, name, email, _ in world.read("people")["staff"]:
            organization = self.organizations[slug]
            user = user_by_email(email) or create_user(
                actor=shifts.machine(organization),
                organization_id=organization.pk,
                email=email,
                full_name=name,
                role=role,
                password=passwords[email],
                pin=PIN,
                is_verified=True,
                # The first organization's administrator runs the house.
                is_operator=role == Role.ADMIN and organization == next(iter(self.organizations.values())),
            )
            self.staff.setdefault(slug, []).append(user)
        for slug, organization in self.organizations.items():
            leads = [str(user.pk) for user in self.staff[slug] if user.role == "supervisor"]
            others = [other.pk for other in self.organizations.values() if other != organization]
            agreed = {str(other): shifts.AGREEMENT for other in others}
            update_organization(
                actor=shifts.machine(organization),
                organization_id=organization.pk,
                settings={**organization.settings, "leads": leads, "covered_by": agreed},
            )
        self.say(f"{len(passwords)} members of staff")

    def _make_patients(self) -> None:
        people = list(world.people(self.now.date()))
        names = self.kept["pseudonyms"]
        there: set[str] = set()
        for organization in self.organizations.values():
            there |= by_pseudonyms(organization.pk, names.values()).keys()
        for person, answers in zip(people, world.measure_courses(), strict=True):
            pseudonym = names[str(person.number)]
            if pseudonym not in there:
                self._make_patient(person, pseudonym, answers)
        self._make_calendars(people)
        self.say(f"{len(people)} fictional patients with two weeks of check-ins, voice and messages")

    def _make_patient(self, person: world.Person, pseudonym: str, answers: list[world.Answers]) -> None:
        organization = self.organizations[person.slug]
        therapists = [user for user in self.staff[person.slug] if user.role == "therapist"]
        therapist = therapists[person.number % len(therapists)] if therapists else None
        parcel = Parcel(
            organization_id=organization.pk,
            sender="demo",
            client="demo",
            route="intake",
            digest=os.urandom(32),
            raw_items=world.history(person, pseudonym, self.now),
        )
        add_person(
            actor=shifts.machine(organization),
            data=registration(person, pseudonym, self.now - CARE),
            therapist=therapist,
            parcel=parcel,
            measures=[(key, self.now - timedelta(days=days), given) for key, days, given in answers],
            notes=world.notes_of(person),
            since=self.now - CARE,
            also=[partial(plans.write_plan, therapist, person.number, answers, self.now)]
            if therapist
            else [],
        )

    def _make_phrases(self) -> None:
        """Give each organization that has therapists the phrases and the template of the demo, once."""
        for slug, organization in self.organizations.items():
            lead = next((user for user in self.staff[slug] if user.role == Role.SUPERVISOR), None)
            if lead is not None and not queries.has_phrases(organization.pk):
                for one in world.read("notes")["phrases"]:
                    save_block(actor=actor_of_user(lead), is_shared=True, **one)

    def _make_ways(self) -> None:
        """Let people come and go in each organization; bring papers, write safety plans."""
        for staff in self.staff.values():
            make_ways(staff)
            make_papers(staff)
            make_safety_plans(staff)

    def _make_calendars(self, people: list[world.Person]) -> None:
        """Give each therapist's people their weekly hour: three weeks behind, three ahead."""
        for organization in self.organizations.values():
            if queries.has_appointments(organization.pk):
                continue
            actor = shifts.machine(organization)
            add_tariffs(actor=actor, tariffs=world.tariffs())
            therapists = [user for user in self.staff[organization.slug] if user.role == "therapist"]
            own = [one for one in people if one.slug == organization.slug] if therapists else []
            rows = by_pseudonyms(organization.pk, self.kept["pseudonyms"].values())
            for turn, person in enumerate(own[: len(therapists) * world.WEEKLY]):
                past, coming = world.hours(turn // len(therapists), self.now, organization.default_timezone)
                patient = rows.get(self.kept["pseudonyms"][str(person.number)])
                if patient is not None:
                    add_appointments(
                        actor=actor, patient_id=patient.pk, past=past, coming=coming, missed=turn % 5 == 3,
                        therapist_id=therapists[person.number % len(therapists)].pk,
                    )  # fmt: skip

    def _write(self) -> None:
        write_private(self.path, json.dumps(self.kept, indent=1) + "\n")


def read_file(path: Path) -> dict[str, Any]:
    """Return what a load wrote down, or nothing when there was none."""
    return {"complete": True, **json.loads(path.read_text(encoding="utf-8"))} if path.exists() else {}


def fresh() -> dict[str, Any]:
    """Return new sign-ins and pseudonyms for everybody, before anybody is made."""
    source = world.read("people")
    sign_ins = [
        {"role": role, "name": name, "email": email, "password": password(), "pin": PIN}
        for _, role, name, email, _ in source["staff"]
    ]
    count = sum(one["patients"] for one in source["organizations"])
    return {
        "note": "Everybody here is fictional.",
        "sign_ins": sign_ins,
        "keys": {},
        "pseudonyms": {str(number): new_pseudonym() for number in range(count)},
    }


def password() -> str:
    """Return a random password that can be typed."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


def registration(person: world.Person, pseudonym: str, since: datetime) -> RegisterPatient:
    """Return what a fictional person's app registers them with; they agreed when their care began."""
    elder = f"{person.family} senior (fictional)"
    return RegisterPatient(
        anonymous_id=pseudonym,
        given_name=person.given,
        family_name=f"{person.family} (fictional)",
        phone=person.phone,
        date_of_birth=person.born,
        language="sw" if person.language == "sheng" else person.language,
        consents=[
            ConsentData(
                kind,
                kind != "emergency_contact" or person.number % 7 != 3,
                recorded_at=since,
                guardian=elder if age_on(person.born, since.date()) < 18 else None,
            )
            for kind in CONSENTS
        ],
        preference=PreferenceData(
            voice_preference=("calm", "warm", "bright")[person.number % 3],
            background_sound_type=("rain", "sea", "none")[person.number % 3],
            preferred_duration_minutes=(10, 15, 20)[person.number % 3],
            morning_routine_time="07:00",
            evening_routine_time=("20:30", "21:00", "22:00")[person.number % 3],
        ),
        contacts=[
            ContactData(
                name=elder,
                phone=f"+2547001{person.number:05d}",
                relationship="family",
            )
        ],
    )
