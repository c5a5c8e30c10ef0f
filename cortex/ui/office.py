"""The back office as a site: it takes only our admins, and has no sign-in and no log of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils.http import urlencode

from cortex.access.context import reading
from cortex.access.declare import public, requires
from cortex.accounts.choices import BACK_OFFICE_ROLES
from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin
from cortex.ui.lists import ChoicesView
from cortex.ui.sent import nonsense_is_refused


class Choices(ChoicesView):
    """What a relation's widget offers: to whoever may fill in its form, whether or not they see the pages."""

    def has_perm(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may send a form that the widget stands in (a proxy shares its fields)."""
        assert self.admin_site is not None  # noqa: S101 (the site gives itself)
        asked = self.source_field
        return any(
            asked.name in form.get_autocomplete_fields(request)
            and (form.has_add_permission(request) or form.has_change_permission(request))
            for model, form in self.admin_site._registry.items()
            if issubclass(model, asked.model)
        )

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """Return one choice under the name that its class gives it."""
        assert isinstance(self.model_admin, ActionAdmin)  # noqa: S101 (the site takes no other)
        return super().serialize_result(obj, to_field_name) | {"text": self.model_admin.choice_label(obj)}


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

    @nonsense_is_refused
    def autocomplete_view(self, request: HttpRequest) -> Any:
        """Answer choices of relations from the person's own rows, and say in the trail whom they named."""
        with reading(actor_of(request), purpose="back_office", relationship="back_office") as looking:
            request.looking = looking  # type: ignore[attr-defined]
            return Choices.as_view(admin_site=self)(request)

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Return nothing: the trail is the log."""
        return super().get_log_entries(request).none()  # type: ignore[misc]


def _callbacks(urls: Iterable[Any]) -> Iterable[Callable[..., Any]]:
    for url in urls:
        if isinstance(url, URLResolver):
            yield from _callbacks(url.url_patterns)
        elif isinstance(url, URLPattern) and url.name != "login":
            yield url.callback
