"""How a sealed field behaves in a model: sealing on save, opening on attribute access, refusing all else."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NoReturn, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import NotSupportedError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import expressions, lookups
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute
from encrypted_model_fields.fields import EncryptedMixin

from cortex.access.current import current
from cortex.crypto.errors import DecryptError, KeyMissing, NoSubject, NotLoaded, Place
from cortex.crypto.keys import DataKey
from cortex.crypto.refresh import teach_refresh
from cortex.crypto.subjects import SubjectSpec, resolve_subject, subject_spec
from cortex.crypto.values import Enc, Pending


class SealedAttribute(DeferredAttribute):
    """Opens on reading and holds an assigned plaintext until the row is saved; it does no I/O."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        try:
            value = instance.__dict__[self.field.attname]
        except KeyError:
            raise NotLoaded(f"{self.field} is deferred: ask for it in the query") from None
        if value is None:
            return None
        if type(value) is Enc:
            return self.field.open_on(instance, value)
        return value.plain

    def __set__(self, instance: Any, value: Any) -> None:
        opaque = value is None or type(value) is Enc or type(value) is Pending
        instance.__dict__[self.field.attname] = value if opaque else Pending(value)


class SealedMixin(EncryptedMixin):
    """The mixin of django-encrypted-model-fields with every behaviour of it replaced.

    AES-256-GCM under the subject's data key; table, column, row and subject are the associated data, so
    a value that was changed or moved raises DecryptError and is never shown. `subject` overrides the
    model's `sealed_subject`; `bound_as` ("table.column") pins the binding when either is renamed later.
    An in-place change of an opened value (a JSON dict) is not seen: assign it again.
    """

    descriptor_class: Any = SealedAttribute
    empty_values: Any

    def __init__(
        self, *args: Any, subject: SubjectSpec | None = None, bound_as: str = "", **kwargs: Any
    ) -> None:
        for name in ("db_default", "auto_now", "auto_now_add"):
            if name in kwargs:
                raise TypeError(f"a sealed field takes no {name}: the database never sees the plaintext")
        self.subject = subject
        self.bound_as = bound_as
        super().__init__(*args, **kwargs)

    # Each type says how its values become bytes; both are strict, since a repr must never be stored.

    def to_bytes(self, value: Any) -> bytes:
        """Return the plaintext bytes of a Python value; raise TypeError or ValueError without content."""
        raise NotImplementedError

    def from_bytes(self, data: bytes) -> Any:
        """Return the Python value of plaintext bytes."""
        raise NotImplementedError

    # Sealing and opening.

    def seal(self, value: Any, *, pk: Any, subject: UUID, key: DataKey | None = None) -> Enc:
        """Seal one value for a row; without `key` the current context gives the subject's newest."""
        key = key or current().key_for(subject)
        aad = self.aad(pk, subject)
        return Enc(key.seal(self._encoded(value), aad), aad)

    def unseal(self, enc: Enc, *, pk: Any, subject: UUID, key: DataKey | None = None) -> Any:
        """Open one value of a row, as `values_list` gave it; raise DecryptError when it does not fit."""
        key = key or current().opening_key(self, subject, enc.version)
        return self._opened(key, enc, pk, subject)

    def open_on(self, instance: models.Model, enc: Enc) -> Any:
        """Open the stored value of a row by the current context."""
        subject = self.subject_for(instance)
        try:
            return self._opened(current().opening_key(self, subject, enc.version), enc, instance.pk, subject)
        except (DecryptError, KeyMissing) as fault:
            fault.place = Place(str(self), instance.pk, getattr(instance, "organization_id", None))
            raise

    def _opened(self, key: DataKey, enc: Enc, pk: Any, subject: UUID) -> Any:
        try:
            return self.from_bytes(key.unseal(enc.blob, self.aad(pk, subject)))
        except DecryptError:
            raise DecryptError(f"{self} of row {pk} did not authenticate") from None

    def _encoded(self, value: Any) -> bytes:
        try:
            return self.to_bytes(value)
        except (ValidationError, TypeError, ValueError) as fault:
            # The fault's own text may quote the value.
            kind = TypeError if isinstance(fault, TypeError) else ValueError
            raise kind(f"{self} can't seal a value of type {type(value).__name__}") from None

    def subject_for(self, instance: models.Model) -> UUID:
        """Return the subject whose key seals this field of the row; raise NoSubject when there is none."""
        subject = resolve_subject(instance, subject_spec(type(instance), self.subject))
        if subject is None:
            raise NoSubject(f"{self} has no subject: the row does not say whose key seals it")
        return subject

    @cached_property
    def _binding(self) -> bytes:
        table, _, column = self.bound_as.partition(".")
        owner = cast(Any, self).model._meta
        parts = (table or owner.db_table, column or cast(Any, self).column)
        return b"".join(len(part.encode()).to_bytes(2, "big") + part.encode() for part in parts)

    def aad(self, pk: Any, subject: UUID) -> bytes:
        """Return table | column | row | subject, each with a fixed or a written length."""
        if type(pk) is UUID:
            return self._binding + b"\x00\x10" + pk.bytes + subject.bytes
        if pk is None:
            raise NoSubject(f"{self}: a sealed row needs its key before it is sealed")
        name = str(pk).encode()
        return self._binding + len(name).to_bytes(2, "big") + name + subject.bytes

    # What Django asks of a field.

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False, **kwargs: Any
    ) -> None:
        # Past DateField's own, which adds get_next_by_x() with comparisons that can't work here.
        models.Field.contribute_to_class(cast(Any, self), cls, name, private_only)
        teach_refresh(cls)

    def to_python(self, value: Any) -> Any:
        """Parse what a form or a person gave; it is never taken for ciphertext."""
        if value is None or type(value) is Enc:
            return value
        return super(EncryptedMixin, self).to_python(value)  # type: ignore[misc]

    def from_db_value(self, value: Any, *args: Any, **kwargs: Any) -> Enc | None:
        """Wrap the stored bytes; opening is the business of attribute access."""
        return None if value is None else Enc(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Seal what was assigned; refuse a foreign sealed value on a new row, since it could never open."""
        state = model_instance.__dict__
        attname = cast(Any, self).attname
        value = state.get(attname)
        if type(value) is Pending:
            if value.plain is None:
                return None
            subject = self.subject_for(model_instance)
            value = state[attname] = self.seal(value.plain, pk=model_instance.pk, subject=subject)
        elif type(value) is Enc and (add or value.bound is not None):
            self._refuse_moved(value, model_instance)
        return value

    def _refuse_moved(self, value: Enc, instance: models.Model) -> None:
        if value.bound != self.aad(instance.pk, self.subject_for(instance)):
            raise TypeError(f"{self}: a sealed value can't move to another row: open it and assign it")

    def get_prep_value(self, value: Any) -> Any:
        return self._only_sealed(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Let through sealed values, NULL, and expressions made of these alone; plaintext is a TypeError."""
        value = self._only_sealed(value)
        return value.blob if type(value) is Enc else value

    def _only_sealed(self, value: Any) -> Any:
        if value is None or type(value) is Enc or _is_sealed_expression(value, self):
            return value
        raise TypeError(f"{self} takes sealed values only: assign and save() the row, or use seal_update()")

    def get_lookup(self, lookup_name: str) -> type[lookups.Lookup[Any]] | None:
        """Only isnull: any other comparison would put plaintext into SQL and never match."""
        return lookups.IsNull if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        """Return None: there is nothing in ciphertext to look into."""
        return None

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor != "postgresql":
            raise NotSupportedError("sealed fields live in PostgreSQL only")
        return "bytea"

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return self.db_type(connection)

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        return None

    def get_internal_type(self) -> str:
        return "BinaryField"

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        limit = getattr(self, "max_length", None)
        if limit is not None:
            kwargs["max_length"] = limit
        if self.subject is not None:
            kwargs["subject"] = self.subject
        if self.bound_as:
            kwargs["bound_as"] = self.bound_as
        return name, path, args, kwargs

    def value_to_string(self, obj: models.Model) -> NoReturn:
        """Refuse dumpdata and every other serializer."""
        raise TypeError(f"{self} is sealed and is never serialized")


def _is_sealed_expression(value: Any, field: Any) -> bool:
    """Tell whether an expression can only yield NULL, sealed values or the very same column."""
    if isinstance(value, expressions.Value):
        # A sealed value under a text field would be stored as its repr.
        typed = isinstance(value._output_field_or_none, SealedMixin)  # type: ignore[attr-defined]
        return value.value is None or (type(value.value) is Enc and typed)
    if isinstance(value, expressions.Col):
        return bool(value.target is field or value.target == field)
    if isinstance(value, expressions.Case):
        parts = [case.result for case in value.cases] + [value.default]
        return all(_is_sealed_expression(part, field) for part in parts)
    if isinstance(value, Cast):
        return all(_is_sealed_expression(part, field) for part in value.get_source_expressions())
    return False
