"""`manage.py verify_audit`: walks the whole chain and says where it stops holding."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cortex.audit import signing, verifier


class Command(BaseCommand):
    """Exit status 0 when the trail holds up to its last link, 1 with the first bad row when it does not."""

    help = "Verify the audit trail: numbers, links, row digests, signatures, clock and the last anchor."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the verdict."""
        public = signing.private_key().public_key()
        verdict = verifier.verify(public, Path(settings.CORTEX_AUDIT_ANCHOR_FILE))
        if verdict.holds:
            self.stdout.write(
                f"The trail holds: {verdict.links} rows linked, {verdict.waiting} waiting for the next "
                "second. The waiting ones are guarded by grants and triggers alone."
            )
            return
        self.stderr.write(
            f"The trail does NOT hold at link {verdict.bad_number} ({verdict.bad_row}): {verdict.reason}."
        )
        sys.exit(1)
