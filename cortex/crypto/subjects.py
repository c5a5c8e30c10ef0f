"""Whose key seals a row: resolves `sealed_subject` on an instance without any I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from cortex.crypto.errors import NoSubject

SubjectSpec: TypeAlias = str | Callable[[Any], Any]
DEFAULT_SUBJECT = "patient_id"


def subject_spec(model: type[models.Model], spec: SubjectSpec | None = None) -> SubjectSpec:
    """Return the spec that holds: the field's own, else the model's `sealed_subject`, else `patient_id`."""
    return spec if spec is not None else getattr(model, "sealed_subject", DEFAULT_SUBJECT)


def resolve_subject(instance: models.Model, spec: SubjectSpec) -> UUID | None:
    """Return the subject id of a row, or None when it is empty.

    A spec is a dotted path of attributes ("patient_id", "session.patient_id") or a function of the row.
    A relation on the path must be loaded already: NoSubject is raised instead of a query.
    """
    if callable(spec):
        return _as_uuid(spec(instance))
    value: Any = instance
    *relations, last = spec.split(".")
    for name in relations:
        value = _loaded_relation(value, name)
        if value is None:
            return None
    return _as_uuid(value.__dict__[last] if last in value.__dict__ else _property(value, last))


def subject_of(row: Any) -> UUID | None:
    """Return the subject whose key a row needs, or None when it has none (or is no sealed row)."""
    spec = subject_spec(type(row))
    if not callable(spec) and "." not in spec and not hasattr(type(row), spec):
        return None
    return resolve_subject(row, spec)


def _loaded_relation(value: Any, name: str) -> Any:
    field = value._meta.get_field(name)
    if not field.is_cached(value):
        raise NoSubject(f"{value._meta.label}.{name} is not loaded: use select_related()")
    return field.get_cached_value(value)


def _property(value: Any, name: str) -> Any:
    """Return an attribute that is no loaded column: `pk`, or a property; never a deferred column."""
    try:
        value._meta.get_field(name)
    except FieldDoesNotExist:
        return getattr(value, name)
    raise NoSubject(f"{value._meta.label}.{name} is deferred: load it with the sealed field")


def _as_uuid(value: Any) -> UUID | None:
    if value is None or isinstance(value, UUID):
        return value
    return UUID(str(value))


def path_fault(model: type[models.Model], spec: SubjectSpec) -> str:
    """Return why a spec can't be resolved on a model, or an empty string (used by the system checks)."""
    if callable(spec):
        return ""
    *relations, last = spec.split(".")
    at: type[models.Model] = model
    for name in relations:
        try:
            field = at._meta.get_field(name)
        except FieldDoesNotExist:
            return f"{at._meta.label} has no relation {name!r}"
        related = field.related_model
        if not (field.many_to_one or field.one_to_one) or not isinstance(related, type):
            return f"{at._meta.label}.{name} is no foreign key"
        at = related
    names = {field.attname for field in at._meta.concrete_fields} | {"pk"}
    if last in names or isinstance(getattr(at, last, None), property):
        return ""
    return f"{at._meta.label} has no column {last!r}"
