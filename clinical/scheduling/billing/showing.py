"""Billing lines in the words of their pages and of their file; no query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clinical.scheduling.billing.coding import warning_words
from clinical.scheduling.billing.models import BillingLine, LineStatus
from clinical.scheduling.billing.queries import Confirmed

HEAD = (
    "Line", "Service date", "Person", "Provider", "System", "Code", "Label", "Minutes", "Units", "Amount",
    "Currency", "Status", "Warnings",
)  # fmt: skip


def amount(line: BillingLine) -> str:
    """Return an amount with two decimals; "" without a tariff."""
    if line.amount_cents is None:
        return ""
    return f"{line.amount_cents // 100}.{line.amount_cents % 100:02d}"


def line_row(line: BillingLine) -> dict[str, Any]:
    """Return one line as a table shows it."""
    return {
        "id": line.pk,
        "date": line.service_date,
        "code": line.code,
        "system": line.get_system_display(),
        "label": line.own_label,
        "minutes": line.minutes,
        "units": line.units,
        "amount": amount(line),
        "currency": line.currency,
        "status": line.status,
        "said": line.get_status_display(),
        "warnings": [warning_words(one) for one in line.warnings],
        "exported": line.exported_at,
        "stands": line.status != LineStatus.VOID,
        "proposed": line.status == LineStatus.PROPOSED,
        "confirmable": line.status == LineStatus.PROPOSED and not line.warnings,
        "removable": line.status != LineStatus.VOID and line.exported_at is None,
    }


def confirmed_words(done: Confirmed) -> str:
    """Return what became of several lines in sentences; of those left out, why."""
    said = [f"{_lines(done.count)} confirmed." if done.count else "No line was confirmed."]
    if done.warned:
        said.append(f"{_lines(done.warned)} left out because of a warning: look at each.")
    if done.decided:
        said.append(f"{_lines(done.decided)} decided before.")
    return " ".join(said)


def _lines(count: int) -> str:
    return f"{count} line is" if count == 1 else f"{count} lines are"


def file_rows(lines: Iterable[BillingLine]) -> list[tuple[object, ...]]:
    """Return lines as the rows of the file: pseudonyms, codes and numbers, no word of a note."""
    return [
        (
            line.pk, line.service_date.isoformat(), line.patient.anonymous_id, line.provider.full_name,
            line.get_system_display(), line.code, line.own_label, line.minutes, line.units, amount(line),
            line.currency, line.get_status_display(), "; ".join(map(warning_words, line.warnings)),
        )
        for line in lines
    ]  # fmt: skip
