"""Proof that keys and sealed rows belong together: after a restore, after a rotation, on any day."""
