"""What a measure's course and its answers are shown as; no query."""

from __future__ import annotations

from typing import Any

from clinical.assessments.drawing import measure
from clinical.assessments.queries import Course
from clinical.assessments.wording import band_label, change_words, direction, signed


def course_row(one: Course, *, picture: bool = True) -> dict[str, Any]:
    """Return one measure as its card shows it."""
    latest, track = one.latest, one.track()
    words = [f"{point.at:%-d %b %Y}: {point.total}" for point in one.points[-6:]]
    key = one.definition.key
    return {
        "key": key,
        "title": one.definition.title,
        "about": one.definition.about,
        "total": latest.total if latest else None,
        "most": one.definition.highest,
        "band": band_label(one, latest.band) if latest else "",
        "at": latest.at if latest else None,
        "change": change_words(one.since_last()),
        "since_first": change_words(one.since_first()) if len(one.points) > 2 else "",
        "delta": signed(change.points) if (change := one.since_last()) else "",
        "direction": direction(one),
        "track": track.state,
        "track_why": track.why,
        "picture": measure(one, f"m-{key}", ". ".join(words)) if picture and one.points else "",
        "points": [
            {
                "id": point.assessment_id,
                "at": point.at,
                "total": point.total,
                "band": band_label(one, point.band),
                "prorated": point.prorated,
                "item9": "item9_endorsed" in point.flags,
            }
            for point in reversed(one.points)
        ],
    }
