"""Documents move to a person's new key piece by piece, and come back byte for byte."""

from __future__ import annotations

import pytest

from clinical.documents.actions import mark_error
from clinical.documents.models import PIECE_BYTES, DocumentChunk
from cortex.keys.cache import cache
from tests import makers
from tests.cast import Cast
from tests.unit.documents.files import pdf_of
from tests.unit.documents.test_documents import bring, read
from tests.unit.keys.test_resealing import left, walk


@pytest.mark.django_db
def test_pieces_titles_digests_and_reasons_move_to_the_new_key(cast: Cast) -> None:
    content = pdf_of(3 * PIECE_BYTES)
    row = bring(cast, content)
    mark_error(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk, document_id=row.pk, reason="Not hers."
    )
    moved = walk(cast.patient.pk)
    assert moved.rows["clinical.DocumentChunk"] == 3 and moved.rows["clinical.Document"] == 1
    assert not moved.unopened and not moved.held
    assert left(cast.patient.pk) == {}
    cache.forget()
    makers.scope_all()
    assert {one.__dict__["content"].version for one in DocumentChunk.objects.all()} == {2}
    assert read(cast, row.pk) == content
