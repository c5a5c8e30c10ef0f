"""`manage.py synth`: builds a large house of fictional people in an empty database, for benches."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinical.backoffice.synth.loading import build
from clinical.backoffice.synth.plan import Plan
from cortex.audit import InputRefused
from cortex.clock import clock

# people, alerts, of them open, organizations
SIZES = {"small": (10_000, 2_000, 50, 2), "large": (1_000_000, 200_000, 50, 10)}


class Command(BaseCommand):
    """Refuses a database in which anybody lives; the same seed and time give the same people and alerts."""

    help = "Build a house of fictional people with sealed fields and alerts, by bulk COPY."

    def add_arguments(self, parser: Any) -> None:
        """Sizes by name or by number, the seed, and the moment from which all times are counted."""
        parser.add_argument("--size", choices=sorted(SIZES), default="large", help="default: large")
        parser.add_argument("--patients", type=int, help="people instead of the size's own number")
        parser.add_argument("--alerts", type=int, help="alerts; default: one for each five people")
        parser.add_argument("--open", type=int, help="how many of them wait, all in the first organization")
        parser.add_argument("--organizations", type=int)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--at", help="ISO 8601 moment from which times are counted back; default: now")
        parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))

    def handle(self, *args: Any, **options: Any) -> None:
        """Build it, and print how to sign in."""
        begun = time.monotonic()
        plan = plan_of(options)
        try:
            password = build(plan, processes=options["processes"], say=self.stdout.write, now=clock)
        except InputRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        took = time.monotonic() - begun
        self.stdout.write(
            f"{plan.people:,} people and {plan.alerts:,} alerts in {took:,.0f} s, seed {plan.seed}, "
            f"at {plan.at.isoformat()}\n"
            f"counselor0@synth-0.example, supervisor0@synth-0.example, …: password {password}"
        )


def plan_of(options: dict[str, Any]) -> Plan:
    """Return the plan that the options ask for; raise CommandError when they don't fit together."""
    people, alerts, waiting, organizations = SIZES[options["size"]]
    if options["patients"] is not None:
        people = options["patients"]
        alerts = people // 5
    try:
        at = datetime.fromisoformat(options["at"]) if options["at"] else clock()
        return Plan(
            seed=options["seed"],
            people=people,
            alerts=alerts if options["alerts"] is None else options["alerts"],
            open_alerts=waiting if options["open"] is None else options["open"],
            organizations=options["organizations"] or organizations,
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )
    except ValueError as fault:
        raise CommandError(str(fault)) from fault
