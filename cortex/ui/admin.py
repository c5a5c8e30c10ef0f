"""Admins that write only through actions; the site that takes only these stands in `office`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from cortex.access.context import AccessContext, holds, reading, scoped, set_scope
from cortex.accounts.appointments import is_operator
from cortex.accounts.choices import TRAIL_READERS, Role
from cortex.accounts.signin.recent import ask_again_unless_recent, is_recent
from cortex.audit import RuleBroken, actor_of
from cortex.ui.again import that_comes_back
from cortex.ui.lists import OpenedChangeList, Picker, refuse_no_ids
from cortex.ui.moments import MINUTE, MomentField
from cortex.ui.searches import TYPED, to_search
from cortex.ui.sent import nonsense_is_refused, plain, refuse_stale, shown_version

Action = Callable[..., Any]
TRAIL = "admin:audit_auditlog_changelist"


class ReadOnlyInline(admin.TabularInline):
    """Rows beside a record: shown, never changed there."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the record sees its rows."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added here."""
        return False

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission


class ActionAdmin(admin.ModelAdmin):
    """Read-only unless it names the action for add, change and delete; every look and write is in the trail.

    `organization_path` is the lookup of the row's organization (None: not bound to one); `sealed_fields` are
    opened on a row's page, and on a list that shows them, for whoever stands in a relationship to the person
    that opens `opens` (empty: the person's page); `note_look` says what the trail keeps of a look at people.
    A list is filtered by what it offers, and by what our own links ask for (`linked_by`).
    Administrators look and write; whoever else may (domain 1.2) is named by the class. With `asks_again` its
    form asks for password or factor, unless one was given in the last minutes: before a new row is typed, and
    when any is sent. One with sealed words comes back with them: none of them waits in a session. A change
    whose row somebody changed after the form was drawn is refused; `locks_lightly` is for rows that others
    point at all the time, as their action locks them.
    """

    add_action: ClassVar[Action | None] = None
    change_action: ClassVar[Action | None] = None
    delete_action: ClassVar[Action | None] = None
    view_roles: ClassVar[frozenset[str]] = frozenset({Role.ADMIN})
    write_roles: ClassVar[frozenset[str]] = frozenset({Role.ADMIN})
    organization_path: ClassVar[str | None] = "organization"
    sealed_fields: ClassVar[tuple[str, ...]] = ()
    opens: ClassVar[str] = ""
    linked_by: ClassVar[tuple[str, ...]] = ()
    asks_again: ClassVar[bool] = False
    locks_lightly: ClassVar[bool] = False
    # The browser's own pickers: one labelled field each, and none of the stock scripts that style inline.
    formfield_overrides: ClassVar[dict[Any, dict[str, Any]]] = {
        models.DateTimeField: {
            "form_class": MomentField,
            "widget": forms.DateTimeInput({"type": "datetime-local"}, MINUTE),
        },
        models.DateField: {"widget": forms.DateInput({"type": "date"}, format="%Y-%m-%d")},
        models.TimeField: {"widget": forms.TimeInput({"type": "time"}, format="%H:%M")},
    }
    list_per_page = 50
    show_full_result_count = False

    # Who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model shows in the index."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the role may look."""
        return _role(request) in self.view_roles | self.write_roles

    def may_write(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may write here at all; there must be an action for it too."""
        return _role(request) in self.write_roles

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the person may add, and there is an action for it."""
        return self.add_action is not None and self.may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may change, and there is an action for it."""
        return self.change_action is not None and self.may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may delete, and there is an action for it."""
        return self.delete_action is not None and self.may_write(request, obj)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether the person may run this admin's commands (`@admin.action(permissions=["run"])`)."""
        return self.may_write(request)

    # What they see

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows of the person's own organizations."""
        rows = super().get_queryset(request)
        if self.organization_path is None:
            return rows
        return rows.filter(**{f"{self.organization_path}__in": list(actor_of(request).org_ids)})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows that this person may see in the related admin; without one, none."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        rows = db_field.remote_field.model._default_manager.none()
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = Picker(db_field, self.admin_site, using=kwargs.get("using"))
        kwargs["queryset"] = related.get_queryset(request) if isinstance(related, ActionAdmin) else rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that opens its rows."""
        return OpenedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return one row in scope, opened; a role without this class learns of no row whether it is there."""
        if not self.has_view_permission(request):
            raise PermissionDenied("Your role does not include this page.")
        found = super().get_object(request, object_id, from_field)
        looking: AccessContext | None = getattr(request, "looking", None)
        if looking is not None and found is not None:
            _open(looking, [found], self.opened_fields(found))
            self.note_look(looking, [found])
        return found

    def opened_fields(self, row: Any) -> tuple[str, ...]:
        """Return the sealed fields that the page of this row opens; a class may keep some rows closed."""
        return self.sealed_fields

    def open_list(self, request: HttpRequest, rows: list[Any], shown: Iterable[Any] = ()) -> None:
        """Open what a list shows of its rows and note the look; a command opens what it needs by itself."""
        looking: AccessContext | None = getattr(request, "looking", None)
        if looking is not None and rows:
            _open(looking, rows, [name for name in self.sealed_fields if name in shown])
            self.note_list(looking, rows)

    def note_look(self, looking: AccessContext, rows: list[Any]) -> None:
        """Say what was looked at, by `looking.saw(...)`; nothing when the rows name no patient."""

    def note_list(self, looking: AccessContext, rows: list[Any]) -> None:
        """Say whom a list or the choices of a relation named; by default what a page says."""
        self.note_look(looking, rows)

    def choice_label(self, row: Any) -> str:
        """Return what a relation's widget calls a row."""
        return str(row)

    # The doors

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether an address may filter by this: a column that no page shows could be read by asking."""
        name = lookup.split("__")[0]
        offered = {"pk", self.opts.pk.name, self.date_hierarchy, *self.linked_by}  # type: ignore[union-attr]
        for one in self.get_list_filter(request):  # type: ignore[arg-type]
            found = one[0] if isinstance(one, (list, tuple)) else getattr(one, "parameter_name", one)
            offered.add(str(found).split("__")[0])
        if name not in offered and self._has_field(name):
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[arg-type]

    def _has_field(self, name: str) -> bool:
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            return False
        return True

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, look for something, or run a command on chosen rows."""
        if request.method == "POST" and TYPED in request.POST:
            return to_search(request)
        refuse_no_ids(request, self.opts.pk)
        return self._run(request, super().changelist_view, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a record, or send what was typed to its action."""
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if self.asks_again and may:
            if request.method == "POST" and self.sealed_fields:
                request.is_stale = not is_recent(request)  # type: ignore[attr-defined]
            elif request.method == "POST" or not object_id:
                does = "Change" if object_id else "Add"
                ask_again_unless_recent(request, f"{does} {self.opts.verbose_name}")
        view = super().changeform_view
        return self._run(request, view, object_id, form_url, extra_context, comes_back=True)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; one that was sent too late, or was refused, comes back as it was typed."""
        return that_comes_back(super().get_form(request, obj, change=change, **kwargs), request)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete by the action."""
        return self._run(request, super().delete_view, object_id, extra_context)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Answer 404, where the stock admin leads to its index: a stranger's row is no row."""
        raise Http404("There is no such record.")

    @nonsense_is_refused
    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the trail of this record; whoever may not see the record learns nothing of it."""
        if not (self.has_view_permission(request) and _may_read_trail(request)):
            raise PermissionDenied("Your role does not include this page.")
        with scoped(actor_of(request)):
            found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404("There is no such record.")
        return HttpResponseRedirect(f"{reverse(TRAIL)}?{urlencode({'object_id': object_id})}")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Offer the way to the trail to its readers alone, and say of which version the form is drawn."""
        more: dict[str, Any] = {"may_read_trail": _may_read_trail(request)}
        row = context.get("original")
        if row is not None and self.has_change_permission(request, row):
            more["row_version"] = shown_version(request, row)
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)

    @nonsense_is_refused
    def _run(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, comes_back: bool = False
    ) -> HttpResponse:
        """Show or do; what an action refuses is said, by the form itself where it can come back."""
        try:
            if request.method == "POST":
                return self._command(request, view, *args)
            with self.look(request) as looking:
                request.looking = looking  # type: ignore[attr-defined]
                return _drawn(view(request, *args))
        except RuleBroken as broken:
            if request.method != "POST":
                raise
            if comes_back:
                request.refused = broken  # type: ignore[attr-defined]
                return self._command(request, view, *args)
            messages.error(request, broken.message)
            return HttpResponseRedirect(request.get_full_path(), status=303)
        finally:
            request.looking = None  # type: ignore[attr-defined]

    def look(self, request: HttpRequest) -> AbstractContextManager[AccessContext]:
        """Return the reading context of a page of this class."""
        return reading(
            actor_of(request), purpose="back_office", relationship="back_office", permission=self.opens
        )

    def _command(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        # Row scope without an access context: the action opens what it needs by one of its own.
        with transaction.atomic():
            set_scope(actor_of(request))
            answer = view(request, *args)
            shown = getattr(answer, "context_data", None) or {}
            if "cl" in shown:  # no command: a list is drawn by a look alone, which stands in the trail
                return HttpResponseRedirect(request.get_full_path(), status=303)
            if shown.get("original") is not None:
                with self.look(request) as looking:  # a form that comes back shows its record once more
                    self.note_look(looking, [shown["original"]])
            return _drawn(answer)

    # The writes

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        """Call the action for add or change; the row that the form built is never saved."""
        action = type(self).change_action if change else type(self).add_action
        if action is None:
            raise ImproperlyConfigured(f"{type(self).__name__} names no action for this")
        if change:
            # Locked until the commit, so that nobody writes between this look and the action.
            rows = type(obj)._base_manager.select_for_update(of=("self",), no_key=self.locks_lightly)
            refuse_stale(request, rows.only("pk", "updated_at").get(pk=obj.pk))
        arguments = self.change_arguments(request, obj, form) if change else self.add_arguments(request, form)
        done = action(actor=actor_of(request), **arguments)
        if not change:
            obj.pk = getattr(done, "pk", obj.pk)
        self.after_action(request, done, change=change)

    def add_arguments(self, request: HttpRequest, form: forms.ModelForm[Any]) -> dict[str, Any]:
        """Return what the add action takes: the form's fields, relations as ids."""
        return plain(form.cleaned_data)

    def change_arguments(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any]) -> dict[str, Any]:
        """Return what the change action takes: the row's id and the changed fields, relations as ids."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        return {self.id_argument(): obj.pk} | plain(changed)

    def id_argument(self) -> str:
        """Return the name by which actions take the row's id."""
        return f"{self.opts.model_name}_id"

    def after_action(self, request: HttpRequest, done: Any, *, change: bool) -> None:
        """Do what follows an action; the commit is still to come."""

    def save_related(self, request: Any, form: Any, formsets: Any, change: Any) -> None:
        """Refuse rows of inlines that could be typed into: they would pass the actions by."""
        if any(formset.has_changed() for formset in formsets):
            raise ImproperlyConfigured("inlines are read-only here")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Call the action for delete."""
        action = type(self).delete_action
        if action is None:
            raise ImproperlyConfigured(f"{type(self).__name__} names no action for this")
        action(actor=actor_of(request), **{self.id_argument(): obj.pk})

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Refuse: rows are deleted one by one."""
        raise ImproperlyConfigured("there is no bulk delete")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer our commands, never the stock bulk delete."""
        return {
            name: found for name, found in super().get_actions(request).items() if name != "delete_selected"
        }

    def each(self, request: HttpRequest, rows: Iterable[Any], action: Action, said: str) -> None:
        """Run an action for each chosen row and say how it went: one that breaks a rule stops no other."""
        done = 0
        for row in rows:
            try:
                action(actor=actor_of(request), **{self.id_argument(): row.pk})
                done += 1
            except RuleBroken as broken:
                messages.error(request, broken.message)
        if done:
            messages.success(request, f"{said} ({done}).")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Keep no second log: the action's audit row is the log."""

    log_change = log_addition

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep no second log."""


class HouseAdmin(ActionAdmin):
    """Rows that hold for every organization: administrators look, an operator alone changes them."""

    organization_path: ClassVar[str | None] = None

    def may_write(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person runs the whole house."""
        return super().may_write(request, obj) and is_operator(actor_of(request))


def _may_read_trail(request: HttpRequest) -> bool:
    return _role(request) in TRAIL_READERS or is_operator(actor_of(request))


def _role(request: HttpRequest) -> str:
    return str(getattr(request.user, "role", ""))


def _open(looking: AccessContext, rows: list[Any], fields: Sequence[str]) -> None:
    """Open sealed fields of those rows that hold any of them."""
    looking.open([row for row in rows if any(holds(row, name) for name in fields)], fields)


def _drawn(response: HttpResponse) -> HttpResponse:
    """Draw a lazy answer now, while the context that opened its rows still stands."""
    return response.render() if isinstance(response, TemplateResponse) else response
