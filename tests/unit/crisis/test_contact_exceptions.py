"""Emergency contacts without consent: who opens them, for how long, who is told and who reads why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from cortex.ops.models import Notification
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.exceptions.actions import open_contacts
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import ReviewItem
from patients.contacts.models import ContactException
from patients.contacts.queries import open_until
from patients.registry.person import EmergencyContact
from tests import makers
from tests.cast import Cast
from tests.makers import opened, staff

pytestmark = pytest.mark.django_db
WHY = "He stands on the bridge and does not answer."


def as_user(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """A critical alert of Cleo's about a person with a contact on record and without consent."""
    found = cast.claimed_alert()
    makers.consent(cast.patient, "emergency_contact", granted=False)
    makers.scope_all()
    assert EmergencyContact.objects.filter(patient=cast.patient).exists()
    return found


def open_them(cast: Cast, alert: RiskAlert, reason: str = WHY) -> ContactException:
    one = open_contacts(actor=staff(cast.cleo), alert_id=alert.pk, reason=reason)
    makers.scope_all()
    return one


def test_the_owner_of_the_alert_opens_them_from_its_page_for_four_hours_and_nobody_else_sees_them(
    cast: Cast, alert: RiskAlert
) -> None:
    page, door = (
        reverse("crisis:alert_page", args=[alert.pk]),
        reverse("crisis:alert_contacts", args=[alert.pk]),
    )
    name = opened(EmergencyContact.objects.get(patient=cast.patient), "name")
    client = as_user(cast.cleo)
    shown = client.get(page).content.decode()
    assert "closed: the person gave no consent" in shown and door in shown and name not in shown
    assert "What the danger is" in client.get(door).content.decode()
    refused = client.post(door, {"reason": "quick"})
    assert refused.status_code == 422 and "quick" in refused.content.decode()
    shown = client.post(door, {"reason": WHY}, follow=True).content.decode()
    assert (
        name in shown and "No consent" in shown and "Open to you without the person's consent until" in shown
    )
    makers.scope_all()
    look = PhiAccessLog.objects.filter(data_type="person", actor_id=cast.cleo.pk).latest("id")
    assert "contacts_without_consent" in look.sections
    one, at = ContactException.objects.get(), makers.now()
    assert one.ends_at - one.opened_at == timedelta(hours=4) and opened(one, "reason") == WHY
    assert open_until(staff(cast.cleo), cast.patient.pk, at + timedelta(hours=3)) == one.ends_at
    assert open_until(staff(cast.cleo), cast.patient.pk, one.ends_at) is None
    for other in (cast.sam, cast.alice):
        text = as_user(other).get(page).content.decode()
        assert name not in text and door not in text
    assert (
        name
        not in as_user(cast.alice)
        .get(reverse("clinical:chart_people", args=[cast.patient.pk]))
        .content.decode()
    )


def test_the_supervisor_is_told_at_once_and_reads_why_within_a_day(cast: Cast, alert: RiskAlert) -> None:
    one = open_them(cast, alert)
    item = ReviewItem.objects.get(reason_code="contacts_opened")
    assert (item.owner_id, item.patient_id, item.source_id) == (cast.sam.pk, cast.patient.pk, alert.pk)
    assert item.due_at == one.review_due_at == one.opened_at + timedelta(hours=24)
    told = Notification.objects.get(code="contacts_opened")
    assert (told.recipient_id, told.object_id) == (cast.sam.pk, item.pk)
    event = AlertEvent.objects.get(alert=alert, kind="contacts_opened")
    assert opened(event, "note") == WHY
    assert AuditLog.objects.filter(event_type="contacts.opened", subject=cast.patient.pk).count() == 1
    assert AuditLog.objects.filter(event_type="alert.contacts_opened").count() == 1
    sam = as_user(cast.sam)
    detail = sam.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
    assert "Emergency contacts were opened without consent" in detail
    assert WHY in sam.get(reverse("crisis:alert_page", args=[alert.pk])).content.decode()
    with pytest.raises(RuleBroken, match="A supervisor has to do this"):
        finish_item(actor=staff(cast.cleo), item_id=item.pk, outcome="reviewed")
    finish_item(actor=staff(cast.sam), item_id=item.pk, outcome="contacted", note="Told on the phone.")
    makers.scope_all()
    read = ContactException.objects.get()
    assert (read.reviewed_by_id, read.reviewed_at is not None) == (cast.sam.pk, True)


def test_nobody_reads_their_own_exception(cast: Cast) -> None:
    cast.on_duty(cast.sam)
    mine = claim_alert(actor=staff(cast.sam), alert_id=makers.make_alert(cast.patient, "high").pk)
    makers.consent(cast.patient, "emergency_contact", granted=False)
    makers.make_user("supervisor", cast.home)
    one = open_contacts(actor=staff(cast.sam), alert_id=mine.pk, reason=WHY)
    makers.scope_all()
    item = ReviewItem.objects.get(reason_code="contacts_opened")
    assert item.owner_id != cast.sam.pk
    with pytest.raises(RuleBroken, match="somebody else reads why"):
        finish_item(actor=staff(cast.sam), item_id=item.pk, outcome="reviewed")
    for wrong in ({"reviewed_by": cast.sam, "reviewed_at": makers.now()}, {"reviewed_at": makers.now()},
                  {"ends_at": one.opened_at + timedelta(hours=5)}, {"level": "medium"}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            ContactException.objects.filter(pk=one.pk).update(**wrong)


def test_they_open_to_the_alert_s_owner_alone_with_a_reason_and_once(cast: Cast, alert: RiskAlert) -> None:
    with pytest.raises(InputRefused, match="Say in a sentence"):
        open_them(cast, alert, "danger")
    with pytest.raises(RuleBroken, match="It must be yours"):
        open_contacts(actor=staff(cast.sam), alert_id=alert.pk, reason=WHY)
    with pytest.raises(NotFound):
        open_contacts(actor=staff(cast.charlie), alert_id=alert.pk, reason=WHY)
    makers.scope_all()
    first, again = open_them(cast, alert), open_them(cast, alert)
    assert first == again and ContactException.objects.count() == 1
    assert AlertEvent.objects.filter(kind="contacts_opened").count() == 1


def test_words_come_back_while_the_keys_are_away(
    cast: Cast, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise KeyProviderError("away")

    monkeypatch.setattr("crisis.exceptions.views.open_contacts", away)
    answer = as_user(cast.cleo).post(reverse("crisis:alert_contacts", args=[alert.pk]), {"reason": WHY})
    assert answer.status_code == 503 and WHY in answer.content.decode()


def test_what_the_person_agreed_to_needs_no_exception(cast: Cast) -> None:
    alert = cast.claimed_alert()
    with pytest.raises(RuleBroken, match="are open to you"):
        open_contacts(actor=staff(cast.cleo), alert_id=alert.pk, reason=WHY)
    page = as_user(cast.cleo).get(reverse("crisis:alert_page", args=[alert.pk])).content.decode()
    assert "May be called" in page and reverse("crisis:alert_contacts", args=[alert.pk]) not in page
