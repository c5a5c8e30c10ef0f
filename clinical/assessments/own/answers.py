"""What an app reads of measures: the questions that are due in words, and where help is near; no total."""

from __future__ import annotations

from typing import Any

from clinical.assessments.own.queries import Asked, Offer


def offer_members(found: Offer, support: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of an offer."""
    return {
        "measures": [_measure(one) for one in found.measures],
        "held_back": [{"measure": key, "reason": why} for key, why in sorted(found.held_back.items())],
        "support": support,
    }


def _measure(asked: Asked) -> dict[str, Any]:
    due, row, text = asked.due, asked.form, asked.text
    definition, words = row.read(), text.texts
    questions = []
    for item in definition.items:
        answers = words.get("item_answers", {}).get(item.key) or words.get("answers", {})
        choices = [
            {"value": one.value, "text": answers.get(str(one.value), str(one.value))}
            for one in definition.answers
        ]
        question = {
            "key": item.key,
            "text": words.get("items", {}).get(item.key, item.key),
            "choices": choices,
        }
        questions.append(question | ({"asked_if": dict(item.asked_if)} if item.asked_if else {}))
    return {
        "measure": row.key, "version": row.version, "title": row.title, "about": definition.about,
        "minutes": definition.minutes, "due_at": due.at.isoformat(), "language": text.language,
        "stem": words.get("stem", ""), "questions": questions, "notice": text.notice, "credit": row.credit,
        "since": asked.since.isoformat() if asked.since else None,
    }  # fmt: skip
