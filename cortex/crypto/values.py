"""The two opaque values of a sealed column: what the database holds, and what waits to be sealed."""

from __future__ import annotations

from typing import Any, NoReturn

from cortex.crypto.keys import version_of


class Enc:
    """A sealed value as stored: it shows, pickles and serializes nothing; only a field opens it."""

    __slots__ = ("blob", "bound")

    def __init__(self, blob: bytes, bound: bytes | None = None) -> None:
        self.blob = blob
        # The associated data when this process sealed it; None when it came from the database.
        self.bound = bound

    @property
    def version(self) -> int:
        """Key version; raise DecryptError when the stored bytes are no sealed value."""
        return version_of(self.blob)

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Enc) and self.blob == other.blob

    def __hash__(self) -> int:
        return hash(self.blob)

    def __copy__(self) -> Enc:
        return self

    def __deepcopy__(self, memo: object) -> Enc:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a sealed value is never pickled")


class Pending:
    """Plaintext that was assigned to a row and is sealed when the row is saved."""

    __slots__ = ("plain",)

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def __repr__(self) -> str:
        return "<to be sealed>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a value that waits to be sealed is never pickled")

    def __copy__(self) -> Pending:
        return Pending(self.plain)

    def __deepcopy__(self, memo: dict[int, Any]) -> Pending:
        from copy import deepcopy

        return Pending(deepcopy(self.plain, memo))
