"""A row that should not be here: it stands as over, so that nothing counts it, and keeps what it was."""

from __future__ import annotations

CHANGED = ("status", "status_before", "updated_at")


class EnteredInError:
    """For models with `status` and `status_before`; the caller has locked the row and leaves the record."""

    status: str
    status_before: str

    @property
    def is_in_error(self) -> bool:
        """Whether somebody said that it should not be here; it stands as over meanwhile."""
        return self.status_before != ""

    def mark_error(self, over: str) -> tuple[str, ...]:
        """Let it stand as `over`; return the fields to save."""
        self.status_before, self.status = self.status, over
        return CHANGED

    def undo_error(self) -> tuple[str, ...]:
        """Let it stand as it stood; return the fields to save."""
        self.status, self.status_before = self.status_before, ""
        return CHANGED
