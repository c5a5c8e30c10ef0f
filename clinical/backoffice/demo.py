"""Loads the demo by the real actions, so that what it shows went the way that everything goes."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from clinical.backoffice import world
from cortex.accounts.actions import create_organization, create_user, update_organization
from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Role, Scope
from cortex.accounts.models import Organization, User
from cortex.audit import Actor
from cortex.audit.actors import actor_of_user
from crisis.decisions.actions import apply_decisions
from crisis.duty.actions import plan_shift, start_shift
from crisis.intake.actions import take_batch
from crisis.intake.parcels import Parcel
from crisis.resources.actions import add_resource
from crisis.risk.actions import append_evidence, evaluate_patients, install_lexicon
from crisis.risk.evidence import Origin, from_item9, from_phq_total
from patients.care.actions import add_to_care_team
from patients.privacy.records import ConsentData
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.records import ContactData, RegisterPatient

CONSENTS = ("treatment", "privacy_notice", "voice_processing", "emergency_contact", "care_team_sharing")
PIN = "271828"
Say = Callable[[str], None]


class Demo:
    """One load of the fictional world; it keeps what it made until it is written down."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.now = datetime.now(UTC)
        self.organizations: dict[str, Organization] = {}
        self.staff: dict[str, list[User]] = {}
        self.sign_ins: list[dict[str, str]] = []
        self.keys: dict[str, str] = {}
        self.pseudonyms: dict[int, str] = {}

    def load(self, path: Path) -> None:
        """Make organizations, people, shifts, patients and two weeks of their days; write the sign-ins."""
        install_lexicon(actor=self._actor(None))
        self._make_organizations()
        self._make_staff()
        self._make_shifts()
        patients = self._make_patients()
        self._send_history(patients)
        self._answer_measures(patients)
        self._write(path)

    def _actor(self, organization: Organization | None) -> Actor:
        scope = tuple(one.pk for one in self.organizations.values())
        return Actor(
            kind="system",
            id=None,
            label="system:demo",
            role="system",
            org_ids=scope,
            organization_id=organization.pk if organization else None,
        )

    def _make_organizations(self) -> None:
        source = world.read("people")
        for one in source["organizations"]:
            settings = {"desk_phone": one["desk_phone"], "notify_by_email": False, "fictional": True}
            organization = create_organization(
                actor=self._actor(None), name=one["name"], slug=one["slug"], settings=settings
            )
            self.organizations[one["slug"]] = organization
            client = create_client(
                actor=self._actor(organization), organization_id=organization.pk, name="Demo app (fictional)"
            )
            issued = create_key(
                actor=self._actor(organization), client_id=client.pk, scopes=list(Scope.values)
            )
            self.keys[one["slug"]] = issued.raw
        for line in source["resources"]:
            add_resource(actor=self._actor(None), **line)

    def _make_staff(self) -> None:
        for slug, role, name, email, _ in world.read("people")["staff"]:
            organization = self.organizations[slug]
            password = "-".join(secrets.token_hex(3) for _ in range(3))
            user = create_user(
                actor=self._actor(organization),
                organization_id=organization.pk,
                email=email,
                full_name=name,
                role=role,
                password=password,
                pin=PIN,
                is_verified=True,
                # The first organization's administrator runs the house.
                is_operator=role == Role.ADMIN and organization == next(iter(self.organizations.values())),
            )
            self.staff.setdefault(slug, []).append(user)
            self.sign_ins.append(
                {"role": role, "name": name, "email": email, "password": password, "pin": PIN}
            )
        for slug, organization in self.organizations.items():
            leads = [str(user.pk) for user in self.staff[slug] if user.role == "supervisor"]
            update_organization(
                actor=self._actor(organization),
                organization_id=organization.pk,
                settings={**organization.settings, "leads": leads},
            )
        self.say("12 members of staff")

    def _make_shifts(self) -> None:
        people = {user.email: user for users in self.staff.values() for user in users}
        for slug, role, _, email, duty in world.read("people")["staff"]:
            if not duty:
                continue
            duty_role = "on_call" if duty == "on_call" else role
            covers = [one.pk for one in self.organizations.values()] if role == "supervisor" else []
            shift = plan_shift(
                actor=self._actor(self.organizations[slug]),
                user_id=people[email].pk,
                role=duty_role,
                organization_id=self.organizations[slug].pk,
                planned_start=self.now,
                planned_end=self.now + timedelta(hours=12),
                covers=covers,
                phone="+254 700 200 001" if duty == "on_call" else "",
                agreement="Night cover agreement 7 (fictional)" if covers else "",
            )
            if duty != "planned":
                start_shift(actor=actor_of_user(people[email]), shift_id=shift.pk, sound_tested=True)

    def _make_patients(self) -> list[tuple[world.Person, Patient]]:
        made = []
        for person in world.people(self.now.date()):
            organization = self.organizations[person.slug]
            patient = register_patient(
                actor=self._actor(organization),
                organization_id=organization.pk,
                data=self._registration(person),
            )
            self._assign(patient, person)
            self.pseudonyms[person.number] = patient.anonymous_id
            made.append((person, patient))
        self.say(f"{len(made)} fictional patients")
        return made

    def _registration(self, person: world.Person) -> RegisterPatient:
        return RegisterPatient(
            given_name=person.given,
            family_name=f"{person.family} (fictional)",
            phone=person.phone,
            date_of_birth=person.born,
            language="sw" if person.language == "sheng" else person.language,
            consents=[ConsentData(consent_type=kind, granted=True) for kind in CONSENTS],
            contacts=[
                ContactData(
                    name=f"{person.family} senior (fictional)",
                    phone=f"+2547001{person.number:05d}",
                    relationship="family",
                )
            ],
        )

    def _assign(self, patient: Patient, person: world.Person) -> None:
        therapists = [user for user in self.staff[person.slug] if user.role == "therapist"]
        if therapists:
            chosen = therapists[person.number % len(therapists)]
            add_to_care_team(
                actor=self._actor(self.organizations[person.slug]),
                patient_id=patient.pk,
                user_id=chosen.pk,
                role="primary_therapist",
            )

    def _send_history(self, patients: list[tuple[world.Person, Patient]]) -> None:
        for person, patient in patients:
            items = world.history(person, patient.anonymous_id, self.now)
            parcel = Parcel(
                organization_id=patient.organization_id,
                sender="demo",
                client="demo",
                route="intake",
                digest=os.urandom(32),
                raw_items=items,
            )
            take_batch(actor=self._actor(self.organizations[person.slug]), parcel=parcel)
        self.say("two weeks of check-ins, voice sessions and messages")

    def _answer_measures(self, patients: list[tuple[world.Person, Patient]]) -> None:
        """Put PHQ-9 totals of a week ago into the ledger, as an instrument would."""
        week_ago = self.now - timedelta(days=7)
        for (person, patient), (total, item9) in zip(patients, world.phq_totals(), strict=True):
            origin = Origin("instrument", week_ago)
            drafts = [from_phq_total(total, origin), from_item9(min(item9, 1), origin)]
            actor = self._actor(self.organizations[person.slug])
            append_evidence(actor=actor, drafts={patient.pk: drafts})
            if item9:
                self._evaluate(actor, patient.pk)
        self.say("PHQ-9 answers as in the NHANES margins")

    def _evaluate(self, actor: Actor, patient_id: UUID) -> None:
        evaluations = evaluate_patients(actor=actor, patient_ids=[patient_id])
        apply_decisions(actor=actor, evaluations=evaluations)

    def _write(self, path: Path) -> None:
        text: dict[str, Any] = {
            "note": "Everybody here is fictional.",
            "sign_ins": self.sign_ins,
            "keys": self.keys,
            "pseudonyms": self.pseudonyms,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(text, out, indent=1)
        half.replace(path)
