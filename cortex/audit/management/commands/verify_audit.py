"""`manage.py verify_audit`: walks the whole chain and says where it stops holding."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cortex.audit import queries, signing


class Command(BaseCommand):
    """Exit status 0 when the trail holds up to its last link, 1 with the first bad row when it does not."""

    help = (
        "Verify the audit trail: numbers, links, row digests, signatures, clock and the last anchor. "
        "An auditor runs `python -m cortex.audit.verifier` instead, with public keys of their own."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the verdict."""
        verdict = queries.verdict(signing.public_keys(), Path(settings.CORTEX_AUDIT_ANCHOR_FILE))
        if verdict.holds:
            self.stdout.write(str(verdict))
            return
        self.stderr.write(str(verdict))
        sys.exit(1)
