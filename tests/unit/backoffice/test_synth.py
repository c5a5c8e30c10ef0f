"""The synthetic house: the same seed the same people, sealed and open to the product, nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from clinical.backoffice.synth.people import people
from clinical.backoffice.synth.plan import Chunk, Plan
from cortex.accounts.models import Organization, User
from cortex.audit.models import AuditLog
from cortex.keys.models import SubjectKey
from cortex.live.models import Feed
from crisis.alerts.models import AlertEvent, RiskAlert
from patients.privacy.models import Consent
from patients.registry.builders import index_of
from patients.registry.models import Patient
from patients.sessions.messages import Message
from tests import makers, stores
from tests.cast import Cast

AT = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
PLAN = Plan(seed=7, people=2_000, alerts=400, open_alerts=50, organizations=2, at=AT)
HOUSE = replace(PLAN, people=600, alerts=120)


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    chunk = Chunk(1, 1_500, 1_600)
    assert people(PLAN, chunk) == people(replace(PLAN), chunk)
    others = people(replace(PLAN, seed=8), chunk)
    assert {one.pseudonym for one in others}.isdisjoint({one.pseudonym for one in people(PLAN, chunk)})
    assert {one.id for one in others}.isdisjoint({one.id for one in people(PLAN, chunk)})


def test_every_alert_belongs_to_one_person_and_numbers_leave_no_gap() -> None:
    plan = Plan(seed=1, people=997, alerts=213, open_alerts=9, organizations=3, at=AT)
    alarmed = [plan.person_of(one) for one in range(plan.alerts)]
    assert len(set(alarmed)) == plan.alerts
    found = [one for chunk in plan.chunks() for one in people(plan, chunk)]
    assert [one.number for one in found] == list(range(plan.people))
    ended = [one.alert for one in found if one.alert is not None]
    assert len(ended) == plan.alerts - plan.open_alerts
    for organization in range(plan.organizations):
        first, end = plan.block(organization)
        numbers = [one.alert.feed_number for one in found[first:end] if one.alert is not None]
        assert numbers == list(range(1, 2 * len(numbers) + 1, 2))


def test_pseudonyms_never_meet() -> None:
    plan = replace(PLAN, people=50_000, alerts=0, open_alerts=0)
    assert len({plan.pseudonym(number) for number in range(plan.people)}) == plan.people


@pytest.mark.parametrize(
    "sizes",
    [
        {"people": 3, "organizations": 4}, {"organizations": 0}, {"alerts": 2_001}, {"open_alerts": 401},
        {"people": 20, "alerts": 4, "open_alerts": 3}, {"people": 9_000_001},
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_together_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        replace(PLAN, **sizes)


def test_a_database_in_which_anybody_lives_is_refused(cast: Cast, as_system: None) -> None:
    homes = Organization.objects.count()
    with pytest.raises(CommandError, match="2 people, 2 other organizations"):
        call_command("synth", size="small", processes=1)
    assert Organization.objects.count() == homes


@pytest.fixture
def house(transactional_db: None) -> Plan:
    """The small house, built by the command as the machines' role; the test goes on as the application."""
    with stores.role("cortex_system"):
        call_command("synth", size="small", patients=HOUSE.people, seed=7, at=AT.isoformat(), processes=1)
    makers.scope_all()
    return HOUSE


def test_the_small_house_is_whole_and_opens_through_the_product(house: Plan) -> None:
    with stores.role("cortex_system"):
        _is_whole(house)
        with pytest.raises(CommandError, match="not empty"):
            call_command("synth", size="small", processes=1, verbosity=0)
    drafts = people(house, Chunk(0, 0, house.block(0)[1]))
    one = next(draft for draft in drafts if draft.alert is not None and draft.alert.message_id)
    patient = Patient.objects.get(pk=one.id)
    columns = ("given_name", "family_name", "email", "phone", "date_of_birth")
    plain = [one.given, one.family, one.email, one.phone, one.born]
    assert [makers.opened(patient, name) for name in columns] == plain
    assert one.alert is not None
    assert makers.opened(Message.objects.get(pk=one.alert.message_id), "content") == one.alert.words
    assert makers.opened(RiskAlert.objects.get(pk=one.alert.id), "resolution_notes") == one.alert.notes
    found = index_of("email", one.email.upper(), patient.organization)
    assert Patient.objects.get(email_hash=found).pk == patient.pk
    _is_worked_with()


def _is_whole(house: Plan) -> None:
    """Counts, keys, feeds and the trail: nothing is missing, nothing stands twice."""
    assert Patient.objects.count() == house.people
    keys = SubjectKey.objects.filter(purpose="patient")
    assert keys.count() == house.people and not keys.filter(confirmed_at=None).exists()
    assert Consent.objects.count() == 3 * house.people
    assert RiskAlert.objects.count() == house.alerts
    assert RiskAlert.objects.open().count() == house.open_alerts
    for home in Organization.objects.all():
        numbers = AlertEvent.objects.filter(organization=home).order_by("feed_number")
        last = Feed.objects.get(organization=home).number
        assert list(numbers.values_list("feed_number", flat=True)) == list(range(1, last + 1))
    loaded = AuditLog.objects.filter(event_type="synth.loaded")
    assert sum(row.codes["end"] - row.codes["first"] for row in loaded) == house.people


def _is_worked_with() -> None:
    """A counselor of the first service sees all that waits and opens who it is; the other service nothing."""
    mine, other = (User.objects.get(email=f"counselor0@synth-{number}.example") for number in (0, 1))
    desk = Client()
    desk.force_login(mine)
    board = desk.get(reverse("crisis:board")).content.decode()
    assert board.count('<li class="q"') == 50
    stranger = Client()
    stranger.force_login(other)
    assert stranger.get(reverse("crisis:board")).content.decode().count('<li class="q"') == 0
    alert = RiskAlert.objects.open().urgent_first().first()
    assert alert is not None
    page = reverse("crisis:alert_page", args=[alert.pk])
    assert desk.post(reverse("crisis:alert_claim", args=[alert.pk])).status_code == 303
    assert "(fictional)" in desk.get(page).content.decode()
    assert stranger.get(page).status_code == 404
