"""Django's `migrate`, rendering fewer models between the steps of a long way (`cortex.ops.quick_states`)."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from cortex.ops.quick_states import quick_states


class Command(migrate.Command):
    """The same command with the same options, in a tenth of the time for a new database."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        with quick_states():
            super().handle(*args, **options)
