"""The trail in the back office: searched and filtered, never changed."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from cortex.accounts.appointments import is_operator
from cortex.accounts.choices import TRAIL_READERS
from cortex.audit import HOUSE, actor_of, queries
from cortex.audit.models import AuditLink, AuditLog, PhiAccessLog
from cortex.clock import steady_now
from cortex.ui.admin import ActionAdmin

MONTH = re.compile(r"(\S+)\s+([1-9][0-9]{3})-([0-9]{2})")


class TrailAdmin(ActionAdmin):
    """What both trails share: newest first, read-only, by bare ids.

    Readers see the rows of their own organization and those of the house that concern every organization; an
    operator sees the house's own rows, which belong to no organization.
    """

    # A record's page leads to its rows.
    linked_by: ClassVar[tuple[str, ...]] = ("object_id",)
    view_roles: ClassVar[frozenset[str]] = TRAIL_READERS
    write_roles: ClassVar[frozenset[str]] = frozenset()
    organization_path: ClassVar[str | None] = None
    ordering = ("-id",)
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Readers, and operators for the house's own rows."""
        return super().has_view_permission(request, obj) or is_operator(actor_of(request))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows that this person reads."""
        actor = actor_of(request)
        scope = models.Q(organization_id__isnull=True, purpose=HOUSE)
        if actor.role in TRAIL_READERS:
            scope |= models.Q(organization_id__in=list(actor.org_ids))
        if is_operator(actor):
            scope |= models.Q(organization_id__isnull=True)
        return super().get_queryset(request).filter(scope)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the row's place in the chain."""
        return (*super().get_readonly_fields(request, obj), "link")

    @admin.display(description="link of the chain")
    def link(self, row: Any) -> str:
        """The number of the row's link and when it was made."""
        found = queries.link_of(row.pk)
        return f"{found.number}, {found.linked_at:%Y-%m-%d %H:%M:%S} UTC" if found else "not linked yet"

    @admin.display(description="who")
    def who(self, row: Any) -> str:
        """Name and role of the actor."""
        return f"{row.actor_label} ({row.actor_role})" if row.actor_role else row.actor_label


def _with_month(term: str) -> tuple[str, date | None]:
    """Return what is looked for, and the month behind it where one stands there."""
    words = MONTH.fullmatch(term)
    try:
        return (words[1], date(int(words[2]), int(words[3]), 1)) if words else (term, None)
    except ValueError:
        return term, None


def _id_of(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


@admin.register(AuditLog)
class AuditLogAdmin(TrailAdmin):
    """What was done."""

    list_display = ("occurred_at", "event_type", "who", "object_type", "object_id", "subject", "outcome")
    list_filter = ("outcome", "actor_kind", "actor_role", "occurred_at")
    search_fields = (
        "event_type__startswith",
        "object_id__exact",
        "subject__exact",
        "actor_id__exact",
        "request_id__exact",
    )
    search_help_text = "A verb (alert.claimed), or the id of an object, a patient, an actor or a request."
    exclude = ("details",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave the sealed details out of the query."""
        return super().get_queryset(request).defer("details")


@admin.register(PhiAccessLog)
class PhiAccessLogAdmin(TrailAdmin):
    """Who looked at whom."""

    list_display = ("occurred_at", "data_type", "who", "purpose", "relationship", "subject", "people")
    list_filter = ("purpose", "data_type", "actor_role", "occurred_at")
    search_fields = ("subject__exact", "actor_id__exact", "object_id__exact", "request_id__exact")
    search_help_text = (
        "The id of a patient, an actor, an object or a request. Lists that named a patient are looked for in "
        f"the last {queries.LISTS_OF.days} days, the newest {queries.MOST_LISTS}; with a month behind the id "
        "(… 2026-08) everything of that month is found, and nothing else."
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find by an id, among the people of a list too; a month behind it bounds what is read."""
        term, month = _with_month(search_term.strip())
        found, twice = super().get_search_results(request, queryset, term)
        subject = _id_of(term)
        if month is not None:
            rows = queries.in_month(queryset, month)
            found = queries.in_month(found, month)
            return (found | rows.filter(subjects__contains=[subject]) if subject else found), twice
        named = queries.lists_naming(queryset, subject, steady_now()) if subject else []
        return (found | queryset.filter(pk__in=named) if named else found), twice

    @admin.display(description="people on the list")
    def people(self, row: PhiAccessLog) -> int:
        """How many people a list named."""
        return len(row.subjects)


@admin.register(AuditLink)
class AuditLinkAdmin(ActionAdmin):
    """The one chain over every organization's rows, for an operator; a row's own link is on its page."""

    view_roles: ClassVar[frozenset[str]] = frozenset()
    write_roles: ClassVar[frozenset[str]] = frozenset()
    organization_path: ClassVar[str | None] = None
    list_display = ("number", "trail", "row_id", "linked_at", "is_signed")
    list_filter = ("trail", "linked_at")
    search_fields = ("row_id__exact",)
    ordering = ("-number",)
    show_full_result_count = False
    fields = ("number", "trail", "row_id", "linked_at", "key_id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Operators alone: the chain is one for the whole house."""
        return is_operator(actor_of(request))

    @admin.display(boolean=True, description="signed head")
    def is_signed(self, row: AuditLink) -> bool:
        """Whether this link carries a signature."""
        return row.signature is not None
