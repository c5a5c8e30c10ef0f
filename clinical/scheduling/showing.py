"""Appointments in the words and shapes of their pages; no query, nothing opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from clinical.scheduling.models import Appointment, Status
from clinical.scheduling.queries import REBOOK
from clinical.scheduling.week import Week, is_repeated, monday_of, week_name
from patients.registry.queries import Named

NOBODY = Named("")


def entry(one: Appointment, who: Named, zone: ZoneInfo, at: datetime) -> dict[str, Any]:
    """Return one appointment as its chip and its line show it."""
    return {
        "id": one.pk,
        "url": reverse("clinical:appointment", args=[one.pk]),
        "move_url": reverse("clinical:appointment_move", args=[one.pk]) if one.is_open() else "",
        "starts_at": one.starts_at,
        "day": f"{one.starts_at.astimezone(zone):%Y-%m-%d}",
        "time": f"{one.starts_at.astimezone(zone):%H:%M}",
        "begins": clock_words(one.starts_at, zone),
        "ends": f"{one.ends_at.astimezone(zone):%H:%M}",
        "minutes": one.minutes,
        "name": who.name,
        "pseudonym": who.pseudonym,
        "kind": one.get_kind_display(),
        "channel": one.get_channel_display(),
        "status": one.status,
        "said": one.get_status_display() if one.status != Status.SCHEDULED else "",
        "unsettled": one.is_open() and one.ends_at <= at,
        "series": one.series_id is not None,
        "moved": one.moved_from is not None,
    }


def clock_words(at: datetime, zone: ZoneInfo) -> str:
    """Return a local time; one that comes twice that day carries its distance from UTC."""
    local = at.astimezone(zone)
    return f"{local:%H:%M} ({offset_words(local)})" if is_repeated(at, zone) else f"{local:%H:%M}"


def offset_words(local: datetime) -> str:
    """Return the distance from UTC, such as UTC+3 or UTC-4:30."""
    offset = local.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"


def change_words(change: timedelta) -> str:
    """Return what the clocks do during a day; "" on most."""
    if not change:
        return ""
    hours = abs(change) / timedelta(hours=1)
    return f"Clocks go {'forward' if change > timedelta() else 'back'} by {hours:g} h"


def grid(week: Week) -> dict[str, Any]:
    """Return a week as the table's head and rows, and as the list of days that a telephone shows."""
    return {
        "days": [
            {
                "date": day.date,
                "name": f"{day.date:%Y-%m-%d}",
                "change": change_words(day.change),
                "today": day.is_today,
                "entries": day.entries,
            }
            for day in week.days
        ],
        "hours": [
            {
                "label": f"{hour:02d}:00",
                "hour": hour,
                "cells": [
                    {"day": f"{day.date:%Y-%m-%d}", "entries": week.cell(day, hour), "today": day.is_today}
                    for day in week.days
                ],
            }
            for hour in week.hours
        ],
    }


def week_links(monday: date, today: date) -> dict[str, str]:
    """Return the weeks before and after, and this one, as they stand in an address."""
    return {
        "name": week_name(monday),
        "before": week_name(monday - timedelta(days=7)),
        "after": week_name(monday + timedelta(days=7)),
        "this": week_name(monday_of(today)),
    }


def notice_rows(rows: Iterable[Mapping[str, Any]], names: Mapping[UUID, Named]) -> list[dict[str, Any]]:
    """Return reminders, and what is to be booked anew, as the calendar lists them."""
    return [
        {
            "id": one["notice"].pk,
            "url": reverse("clinical:appointment", args=[one["appointment"].pk]),
            **names.get(one["appointment"].patient_id, NOBODY)._asdict(),
            "at": one["appointment"].starts_at,
            "may_text": one["notice"].codes.get("may_text"),
            "rebook": one["notice"].code == REBOOK,
            "new_url": f"{reverse('clinical:appointment_new')}?person={one['appointment'].patient_id}",
        }
        for one in rows
    ]
