"""Template tags of the design system: icons, levels, keys, avatars and times; no queries, no page logic."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

LEVELS = {"critical": 4, "high": 3, "medium": 2, "low": 1}
WORDS = {4: "Critical", 3: "High", 2: "Medium", 1: "Low", 0: "Not assessed"}


def level_number_of(level: Any) -> int:
    """Return 4 for critical down to 1 for low, and 0 for anything that is no level."""
    if isinstance(level, int):
        return level if level in WORDS else 0
    return LEVELS.get(str(level).lower(), 0)


@register.filter
def level_number(level: Any) -> int:
    """Filter form of `level_number_of`, for data attributes."""
    return level_number_of(level)


@cache
def sprite() -> str:
    """Return the address of the sprite; a page draws a hundred symbols of it."""
    return static("img/icons.svg")


@register.simple_tag
def icon(name: str, size: int | str = "", label: str = "") -> SafeString:
    """Draw one symbol of the sprite; without a label it is hidden from screen readers."""
    css = f"i-{size}" if size else "i"
    if label:
        pattern = '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>'
        return format_html(pattern, css, label, sprite(), name)
    return _icon(name, css)


@lru_cache(512)
def _icon(name: str, css: str) -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', css, sprite(), name)


@register.simple_tag
def risk(level: Any, big: bool = False) -> SafeString:
    """Show a level by shape, word and colour."""
    return _risk(level_number_of(level), bool(big))


@cache
def _risk(number: int, big: bool) -> SafeString:
    return format_html(
        '<span class="risk{}" data-r="{}"><svg aria-hidden="true"><use href="{}#risk-{}"/></svg>{}</span>',
        " risk-lg" if big else "",
        number,
        sprite(),
        number,
        WORDS[number],
    )


@register.simple_tag
def risk_glyph(level: Any) -> SafeString:
    """Show a level by shape and colour, with its word for screen readers."""
    number = level_number_of(level)
    return format_html(
        '<svg class="i-16 rglyph" data-r="{}" role="img" aria-label="{}"><use href="{}#risk-{}"/></svg>',
        number,
        WORDS[number],
        sprite(),
        number,
    )


@register.simple_tag
def kbd(key: str) -> SafeString:
    """Show a key; screen readers hear `aria-keyshortcuts` of the control instead."""
    return format_html('<kbd class="kbd" aria-hidden="true">{}</kbd>', key)


@register.simple_tag
def avatar(initials: str, css: str = "") -> SafeString:
    """Show a person of staff by initials, as decoration beside the name."""
    return format_html('<span class="av {}" aria-hidden="true">{}</span>', css, initials)


def moment(value: datetime | str | None) -> datetime | None:
    """Return a time in the current zone from a datetime or an ISO text; None for nothing."""
    found = parse_datetime(value) if isinstance(value, str) else value
    if not found:
        return None
    return timezone.localtime(found) if timezone.is_aware(found) else found


@register.filter
def iso(value: datetime | str | None) -> str:
    """Return the ISO text of a time, for `datetime` and data attributes."""
    found = moment(value)
    return found.isoformat() if found else ""


@register.filter
def clock_time(value: datetime | str | None) -> str:
    """Return "03:09", or "18 Nov 03:09" when it is not today; with the year where that isn't plain."""
    found = moment(value)
    if not found:
        return ""
    today = timezone.localdate() == found.date()
    return found.strftime("%H:%M") if today else f"{day(found)} {found.strftime('%H:%M')}"


# Beyond half a year a day and a month may be meant of two years.
HALF_A_YEAR = 183


@register.filter
def day(value: datetime | date | str | None) -> str:
    """Return "18 Nov", and "18 Nov 2025" of another year or more than half a year away."""
    found = value if isinstance(value, date) and not isinstance(value, datetime) else moment(value)
    if not found:
        return ""
    on = found.date() if isinstance(found, datetime) else found
    today = timezone.localdate()
    is_plain = on.year == today.year and abs((on - today).days) <= HALF_A_YEAR
    return f"{on.day} {on.strftime('%b' if is_plain else '%b %Y')}"


def ends_day(value: datetime | None) -> datetime | None:
    """Return midnight as the last moment of the day that it ends: what is due then isn't due on the next."""
    found = moment(value)
    if found and (found.hour, found.minute, found.second) == (0, 0, 0):
        return found - timedelta(microseconds=1)
    return found


@register.simple_tag
def by(value: datetime | str | None) -> SafeString:
    """Write by when something is due; what is due at midnight is due by the end of the day before."""
    found = moment(value)
    last = ends_day(found)
    if not found or last is None or last == found:
        return when(found)
    return format_html('<time datetime="{}">the end of {}</time>', iso(found), day(last))


@register.filter
def dial(phone: str) -> str:
    """Return what a phone must dial: "ext. 4400" becomes 4400."""
    return "".join(sign for sign in phone.replace("(0)", "") if sign in "+0123456789")


@register.filter
def age_words(band: str) -> str:
    """Return a coded age band ("25_34", "65_plus", "under_13") in words."""
    if not band or band == "unknown":
        return "Age not known"
    return band.replace("under_", "Under ").replace("_plus", " and over").replace("_", " to ")


@register.filter
def json_data(value: Any) -> str:
    """Return JSON text for a data attribute; the template escapes it."""
    return json.dumps(value, default=str, separators=(",", ":"))


@register.filter
def having(rows: Iterable[Any] | None, name: str) -> list[Any]:
    """Return the rows (objects or dicts) whose attribute `name` is true."""
    return [row for row in rows or () if _value(row, name)]


@register.filter
def lacking(rows: Iterable[Any] | None, name: str) -> list[Any]:
    """Return the rows (objects or dicts) whose attribute `name` is not true."""
    return [row for row in rows or () if not _value(row, name)]


def _value(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else getattr(row, name, None)


@register.simple_tag
def when(value: datetime | str | None, mode: str = "") -> SafeString:
    """Write a time as `<time>`; with a mode ("since", "left" or "ago") the browser keeps it ticking."""
    found = moment(value)
    if not found:
        return mark_safe("")
    tick = format_html(' data-clock="{}"', mode) if mode else ""
    return format_html('<time datetime="{}"{}>{}</time>', iso(found), tick, clock_time(found))
