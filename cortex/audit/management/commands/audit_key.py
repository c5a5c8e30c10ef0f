"""`manage.py audit_key`: prints the public half of the signing key, for the auditor and the list."""

from typing import Any

from django.core.management.base import BaseCommand

from cortex.audit import publickeys, signing


class Command(BaseCommand):
    """One line, `name:key`, as CORTEX_AUDIT_PUBLIC_KEYS and the auditor's file take it."""

    help = "Print the public key that verifies the trail; keep the lines of earlier keys beside it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the line."""
        self.stdout.write(publickeys.line_of(signing.private_key().public_key()))
