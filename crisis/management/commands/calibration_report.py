"""`manage.py calibration_report`: how often the engine was right, by organization; figures only."""

import json
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cortex.access.context import reading
from cortex.accounts.models import Organization
from cortex.audit import system
from cortex.clock import clock
from cortex.ui.zone import zone_of
from crisis.calibration.figures import Report, budget, withheld
from crisis.calibration.queries import calibration, organizations
from crisis.calibration.tables import plain, tables
from crisis.risk.engine import ENGINE_VERSION
from crisis.risk.lexicon import lexicon

USUAL = timedelta(days=90)


class Command(BaseCommand):
    """Prints what the page shows to supervisors; each look is on record, as theirs is."""

    help = "Print the engine's calibration report (domain 4.7) of the alerts raised in a period."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add whose, which period, and the form."""
        add = parser.add_argument
        add("--organization", default="", metavar="SLUG", help="this one alone (every active one)")
        add("--since", type=date.fromisoformat, help="first day, YYYY-MM-DD (90 days before --until)")
        add("--until", type=date.fromisoformat, help="last day, YYYY-MM-DD (until now)")
        add("--json", action="store_true", help="numbers as JSON; too small a share is null")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count and print, one organization after the other."""
        found = organizations(options["organization"])
        if not found:
            raise CommandError("There is no active organization of this name.")
        reports = [self._report(one, options["since"], options["until"]) for one in found]
        if options["json"]:
            self.stdout.write(json.dumps([numbers(report) for report in reports], indent=2, default=str))
            return
        self.stdout.write(f"Packaged: engine {ENGINE_VERSION}, lexicon {lexicon().version}")
        for report in reports:
            self._print(report)

    def _report(self, organization: Organization, since: date | None, until: date | None) -> Report:
        zone = zone_of(organization.default_timezone)
        end = datetime.combine(until + timedelta(days=1), time(), zone) if until else clock()
        start = datetime.combine(since, time(), zone) if since else end - USUAL
        if start >= end:
            raise CommandError("--since must lie before --until.")
        actor = system("calibration_report", organization.pk)
        with reading(actor, purpose="review") as context:
            report = calibration(organization, start, end)
            context.saw("review.calibration", object_type="alerts", organization_id=organization.pk)
        return report

    def _print(self, report: Report) -> None:
        write = self.stdout.write
        write(f"\n{report.organization}, alerts raised {report.since:%Y-%m-%d %H:%M} to "
              f"{report.until:%Y-%m-%d %H:%M %Z}")  # fmt: skip
        if report.is_empty:
            write("  Nothing to report: no alert, no level set by a clinician, nothing in shadow.")
            return
        for table in tables(report):
            write("")
            for line in plain(table):
                write(line)


def numbers(report: Report) -> dict[str, Any]:
    """Return a report as plain values; a share on too few verdicts is null, too small a group is withheld."""
    found: dict[str, Any] = {
        "organization": report.organization, "since": report.since.isoformat(),
        "until": report.until.isoformat(), "engine_version": ENGINE_VERSION,
        "lexicon_version": lexicon().version, "active_people": report.active_people,
        "budget": [asdict(line) | {"holds": line.holds} for line in budget(report)],
        "everything": _tally(report.everything),
    }  # fmt: skip
    for name in ("levels", "rules", "tiers", "versions", "bins", "languages", "ages"):
        rows = getattr(report, name)
        hidden = withheld(rows) if name in ("languages", "ages") else set()
        found[name] = [
            {"key": [part for part in row.key if part]}
            | ({"overrides": asdict(row.override)} if name in ("rules", "tiers") else {})
            | (_tally(row.tally) if row.key not in hidden else {"withheld": True})
            for row in rows
        ]
    found["overrides"] = [{"before": level} | asdict(one) for level, one in report.overrides]
    found["missed"] = [asdict(one) for one in report.missed]
    found["second_readings"] = [asdict(one) for one in report.readings]
    found["shadows"] = [asdict(one) | {"beside": _tally(one.beside)} for one in report.shadows]
    return found


def _tally(tally: Any) -> dict[str, Any]:
    shares = {"predictive_value": tally.predictive_value, "without_verdict": tally.without_verdict}
    named = {name: asdict(share) if share else None for name, share in shares.items()}
    return asdict(tally) | {"judged": tally.judged, "brier": tally.agreement} | named
