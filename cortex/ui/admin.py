"""The back office: a site that takes only our admins, and admins that write only through actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse
from django.utils.http import urlencode

from cortex.access.context import AccessContext, reading, set_scope
from cortex.access.declare import public, requires
from cortex.accounts.choices import BACK_OFFICE_ROLES, Role
from cortex.audit import RuleBroken, actor_of

Action = Callable[..., Any]


class BackOfficeSite(admin.AdminSite):
    """The admin for the roles of the back office; it has no sign-in of its own and no log of its own."""

    site_header = "Cortex back office"
    site_title = "Cortex back office"
    index_title = "Back office"
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take our own admins only: what libraries bring could write past the trail."""
        if admin_class is not None and issubclass(admin_class, ActionAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this person's role has a back office at all."""
        user: Any = request.user
        return bool(user.is_authenticated and user.is_active and user.role in BACK_OFFICE_ROLES)

    def get_urls(self) -> list[Any]:
        """Return the addresses, each with its declared access."""
        urls = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        for callback in _callbacks(urls):
            requires(*sorted(BACK_OFFICE_ROLES))(callback)
        return urls

    @public("leads to the one sign-in page")
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one sign-in page."""
        home = reverse("admin:index")
        query = urlencode({"next": request.GET.get("next", home)})
        return redirect(home if self.has_permission(request) else f"{reverse('account_login')}?{query}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Hand the same POST on to the one way out."""
        return HttpResponse(status=307, headers={"Location": reverse("accounts:logout")})

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to one's own account page."""
        return redirect("accounts:me")

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Answer choices of relations from the person's own rows."""
        with reading(actor_of(request), purpose="back_office", relationship="back_office"):
            return super().autocomplete_view(request)

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Return nothing: the trail is the log."""
        return super().get_log_entries(request).none()  # type: ignore[misc]


def _callbacks(urls: Iterable[Any]) -> Iterable[Callable[..., Any]]:
    for url in urls:
        if isinstance(url, URLResolver):
            yield from _callbacks(url.url_patterns)
        elif isinstance(url, URLPattern) and url.name != "login":
            yield url.callback


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


class OpenedChangeList(ChangeList):
    """A list that opens its rows' sealed fields and notes the look before it is drawn."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page of rows, then open it."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        assert isinstance(self.model_admin, ActionAdmin)  # noqa: S101 (only those use this list)
        self.model_admin.open_rows(request, self.result_list)


class ActionAdmin(admin.ModelAdmin):
    """Read-only unless it names the action for add, change and delete; every look and write is in the trail.

    `organization_path` is the lookup of the row's organization (None: not bound to one); `sealed_fields` are
    opened for lists and pages; `note_look` says what the trail keeps of a look at people.
    """

    add_action: ClassVar[Action | None] = None
    change_action: ClassVar[Action | None] = None
    delete_action: ClassVar[Action | None] = None
    view_roles: ClassVar[frozenset[str]] = frozenset({Role.ADMIN, Role.COMPLIANCE})
    write_roles: ClassVar[frozenset[str]] = frozenset({Role.ADMIN})
    organization_path: ClassVar[str | None] = "organization"
    sealed_fields: ClassVar[tuple[str, ...]] = ()
    # The browser's own pickers: one labelled field each, and none of the stock scripts that style inline.
    formfield_overrides: ClassVar[dict[Any, dict[str, Any]]] = {
        models.DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the role may add, and there is an action for it."""
        return self.add_action is not None and _role(request) in self.write_roles

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the role may change, and there is an action for it."""
        return self.change_action is not None and _role(request) in self.write_roles

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the role may delete, and there is an action for it."""
        return self.delete_action is not None and _role(request) in self.write_roles

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether the role may run this admin's commands (`@admin.action(permissions=["run"])`)."""
        return _role(request) in self.write_roles

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
        kwargs["queryset"] = related.get_queryset(request) if isinstance(related, ActionAdmin) else rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that opens its rows."""
        return OpenedChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return one row in scope, opened."""
        found = super().get_object(request, object_id, from_field)
        self.open_rows(request, [found] if found is not None else [])
        return found

    def open_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Open sealed fields of rows that are about to be shown; a command opens what it needs by itself."""
        looking: AccessContext | None = getattr(request, "looking", None)
        if looking is not None and rows:
            if self.sealed_fields:
                looking.open(rows, self.sealed_fields)
            self.note_look(looking, rows)

    def note_look(self, looking: AccessContext, rows: list[Any]) -> None:
        """Say what was looked at, by `looking.saw(...)`; nothing when the rows name no patient."""

    # The doors

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, or run a command on chosen rows."""
        return self._run(request, super().changelist_view, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a record, or send what was typed to its action."""
        return self._run(request, super().changeform_view, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete by the action."""
        return self._run(request, super().delete_view, object_id, extra_context)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Answer 404, where the stock admin leads to its index: a stranger's row is no row."""
        raise Http404("There is no such record.")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the trail of this record; whoever may not see the record learns nothing of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied("Your role does not include this page.")
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404("There is no such record.")
        try:
            trail = reverse("admin:audit_auditlog_changelist")
        except NoReverseMatch:
            return redirect("admin:index")
        return HttpResponseRedirect(f"{trail}?{urlencode({'object_id': object_id})}")

    def _run(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        try:
            if request.method == "POST":
                return self._command(request, view, *args)
            with reading(actor_of(request), purpose="back_office", relationship="back_office") as looking:
                request.looking = looking  # type: ignore[attr-defined]
                return _drawn(view(request, *args))
        except RuleBroken as broken:
            messages.error(request, broken.message)
            return HttpResponseRedirect(request.get_full_path(), status=303)
        finally:
            request.looking = None  # type: ignore[attr-defined]

    def _command(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        # Row scope without an access context: the action opens what it needs by one of its own.
        with transaction.atomic():
            set_scope(actor_of(request))
            return _drawn(view(request, *args))

    # The writes

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        """Call the action for add or change; the row that the form built is never saved."""
        action = type(self).change_action if change else type(self).add_action
        if action is None:
            raise ImproperlyConfigured(f"{type(self).__name__} names no action for this")
        arguments = self.change_arguments(request, obj, form) if change else self.add_arguments(request, form)
        done = action(actor=actor_of(request), **arguments)
        if not change:
            obj.pk = getattr(done, "pk", obj.pk)
        self.after_action(request, done, change=change)

    def add_arguments(self, request: HttpRequest, form: forms.ModelForm[Any]) -> dict[str, Any]:
        """Return what the add action takes: the form's fields, relations as ids."""
        return _plain(form.cleaned_data)

    def change_arguments(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any]) -> dict[str, Any]:
        """Return what the change action takes: the row's id and the changed fields, relations as ids."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        return {self.id_argument(): obj.pk} | _plain(changed)

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


def _role(request: HttpRequest) -> str:
    return str(getattr(request.user, "role", ""))


def _drawn(response: HttpResponse) -> HttpResponse:
    """Draw a lazy answer now, while the context that opened its rows still stands."""
    return response.render() if isinstance(response, TemplateResponse) else response


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{name}_id" if isinstance(value, models.Model) else name: value.pk
        if isinstance(value, models.Model)
        else value
        for name, value in fields.items()
    }
