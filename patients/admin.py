"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from patients.breakglass import admin as _breakglass
from patients.care import admin as _care
from patients.contacts import admin as _contacts
from patients.covers import admin as _covers
from patients.holds import admin as _holds
from patients.pathway import admin as _pathway
from patients.privacy import admin as _privacy
from patients.registry import admin as _registry
from patients.sessions import admin as _sessions

__all__ = [
    "_breakglass", "_care", "_contacts", "_covers", "_holds", "_pathway", "_privacy", "_registry",
    "_sessions",
]  # fmt: skip
