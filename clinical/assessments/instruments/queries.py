"""Reads about instruments: which are offered, in which wording, and which form of one is asked next."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinical.assessments.definitions import LATER_FORM, course_key
from clinical.assessments.models import Assessment, Instrument, InstrumentText
from clinical.assessments.planning.models import InstrumentSwitch
from cortex.audit import NotFound, RuleBroken
from cortex.ops.postgres.questions import kept


def instruments(organization_id: UUID | None = None) -> list[Instrument]:
    """Return the instruments that are offered: by the house, or as this organization switched them.

    A form for those who answered before is no measure of its own: its ids stand in `forms` of the first one.
    """
    rows = _all_offered(organization_id)
    found = [one for one in rows if one.key == one.course_key]
    for one in found:
        one.forms = tuple(form.pk for form in rows if form is not one and _is_form(form, one))
    return found


def _is_form(form: Instrument, first: Instrument) -> bool:
    return (form.course_key, form.version) == (first.key, first.version)


def _rows(organization_id: UUID | None, wanted: Q) -> QuerySet[Instrument]:
    """Return the instruments that fit a condition, which may ask for `offered`."""
    rows = Instrument.objects.all()
    if organization_id is None:
        return rows.annotate(offered=F("is_enabled")).filter(wanted)
    own = InstrumentSwitch.objects.filter(instrument=OuterRef("pk"), organization_id=organization_id)
    said = Coalesce(Subquery(own.values("is_offered")[:1]), F("is_enabled"))
    return rows.annotate(offered=said).filter(wanted)


@kept
def _all_offered(organization_id: UUID | None) -> QuerySet[Instrument]:
    """Later forms are there in any case: what was answered in them stays on its course."""
    return _rows(organization_id, Q(offered=True) | Q(key__in=LATER_FORM.values()))


def instrument(key: str, organization_id: UUID | None = None) -> Instrument:
    """Return the version of an instrument that is offered; NotFound when none is, or not its first form."""
    keys = {key, course_key(key)}
    rows = _rows(organization_id, Q(offered=True, key__in=keys)).order_by("version")
    found = {one.key: one for one in rows}
    if len({one.version for one in found.values()}) != 1 or found.keys() != keys:
        raise NotFound("This measure is not offered here.", "instrument_unknown")
    return found[key]


def measure_of(row: Instrument) -> Instrument:
    """Return the instrument whose course the answers to this one belong to: itself, or its first form."""
    if row.key == row.course_key:
        return row
    return Instrument.objects.filter(key=row.course_key, version=row.version).first() or row


def forms_of(row: Instrument, organization_id: UUID | None) -> list[Instrument]:
    """Return the forms in which a measure can be asked: the first, and the later one with a wording."""
    later = LATER_FORM.get(row.key)
    if later is None:
        return [row]
    wanted = Q(offered=True, key=later, version=row.version, texts__isnull=False)
    return [row, *_rows(organization_id, wanted).distinct()]


def later_form(row: Instrument, organization_id: UUID | None, language: str) -> Instrument | None:
    """Return a measure's later form where it has the language in which the first would be asked."""
    forms = forms_of(row, organization_id)
    if len(forms) < 2 or text_of(row, language).language not in languages_of(forms[-1]):
        return None
    return forms[-1]


def locked_instrument(instrument_id: UUID) -> Instrument:
    """Lock and return one version; NotFound when there is none."""
    found = Instrument.objects.select_for_update().filter(pk=instrument_id).first()
    if found is None:
        raise NotFound("There is no such instrument.", "instrument_unknown")
    return found


def text_of(row: Instrument, language: str) -> InstrumentText:
    """Return the wording in a language, else in English; RuleBroken when no text is installed."""
    texts = {text.language: text for text in InstrumentText.objects.filter(instrument=row)}
    found = texts.get(language) or texts.get("en") or next(iter(texts.values()), None)
    if found is None:
        raise RuleBroken(
            f"The text of the {row.title} is not installed. Tell an administrator of your service: it is "
            "loaded once, after registering where the licence asks for it.",
            "text_not_installed",
        )
    return found


def notice_of(row: Instrument) -> str:
    """Return what stands under every rendering of a measure, of each of its forms; "" without a text."""
    keys = [row.key, LATER_FORM.get(row.key, row.key)]
    rows = InstrumentText.objects.filter(instrument__key__in=keys, instrument__version=row.version)
    told = rows.exclude(notice="").order_by("-language").values_list("instrument__key", "notice")
    return " ".join(dict.fromkeys(dict(told).values()))


def languages_of(row: Instrument) -> list[str]:
    """Return the languages in which an instrument's text is installed."""
    return list(InstrumentText.objects.filter(instrument=row).values_list("language", flat=True))


def installed(rows: Iterable[Instrument]) -> set[UUID]:
    """Return those of these instruments whose text is installed in some language."""
    found = InstrumentText.objects.filter(instrument__in=list(rows))
    return set(found.values_list("instrument_id", flat=True))


def readiness(key: str, organization_id: UUID | None) -> str:
    """Return whether a measure can be asked: `ready`, `no_text` without its wording, or `not_offered`."""
    row = next((one for one in instruments(organization_id) if one.key == key), None)
    if row is None:
        return "not_offered"
    return "ready" if installed([row]) else "no_text"


def any_text(one: Assessment) -> InstrumentText | None:
    """Return the wording that an administration was given in, else another, else None."""
    texts = {text.language: text for text in InstrumentText.objects.filter(instrument=one.instrument)}
    return texts.get(one.language) or texts.get("en") or next(iter(texts.values()), None)
