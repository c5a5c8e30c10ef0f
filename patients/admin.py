"""Gathers the floor's admins, since Django looks for them here; nothing is defined here."""

from patients.care import admin as _care
from patients.covers import admin as _covers
from patients.privacy import admin as _privacy
from patients.registry import admin as _registry
from patients.sessions import admin as _sessions

__all__ = ["_care", "_covers", "_privacy", "_registry", "_sessions"]
