#!/usr/bin/env python3
"""Django's command line; each command connects with the database role that its work needs."""

import os
import sys

OWNER = {"migrate", "makemigrations", "sqlmigrate", "showmigrations", "flush", "up"}
SYSTEM = {"sweep", "watchdog", "demo", "simulate", "verify_audit", "celery", "partitions", "backup",
          "restore", "backup_drill", "keys", "synth"}  # fmt: skip


def database_role(command: str) -> str:
    """Return owner for schema work, system for the machines' work, app for everything else."""
    if command in OWNER:
        return "owner"
    return "system" if command in SYSTEM else "app"


def main() -> None:
    """Run the command."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.dev")
    os.environ.setdefault("CORTEX_DB_ROLE", database_role(command))
    from django.core.management import execute_from_command_line

    from cortex.ops.processes import StartRefused

    try:
        execute_from_command_line(sys.argv)
    except StartRefused as refusal:
        # The settings already need the data folder, so its faults show before any command begins.
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
