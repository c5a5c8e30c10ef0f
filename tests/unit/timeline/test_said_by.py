"""What read or compared a voice is named on the timeline with its version, and how sure it is, in words."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from crisis.risk.models import Evidence
from tests import makers
from tests.cast import Cast
from tests.makers import client_of
from tests.unit.timeline.test_timeline import DAY, look

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("code", "domain", "version", "words"),
    [("DISSONANCE", "dissonance", "1.3.0", "Risk engine 1.3.0"),
     ("DISSONANCE", "dissonance", "", "Risk engine of a version that was not kept"),
     ("BASELINE", "baseline", "0.4", "Voice baseline 0.4"),
     ("EMO_SAD", "emotion", "", "Emotion model that the app did not name")],
)  # fmt: skip
def test_what_compares_or_reads_a_voice_is_named_with_its_version(
    cast: Cast, code: str, domain: str, version: str, words: str
) -> None:
    at = makers.now() - DAY
    signal = Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code=code, domain=domain, confidence=0.8,
        source_type="voice", source_id=uuid4(), observed_at=at, received_at=at, lexicon_version=version,
    )  # fmt: skip
    (entry,) = look(cast, kinds=["signals"]).entries
    assert (entry.id, entry.finding.said_by) == (signal.pk, words)
    assert entry.finding.confidence == "fairly sure"
    page = client_of(cast.alice).get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert f"{words}: fairly sure." in page
