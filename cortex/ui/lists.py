"""Lists of the back office and the choices of its relations: a look at people is noted before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse

from cortex.ui.searches import words_of


class Noting(Protocol):
    """What a class of the back office does with rows that are about to be shown."""

    def open_list(self, request: HttpRequest, rows: list[Any], shown: Any = ()) -> None:
        """Open what the list shows and note the look."""
        ...


class OpenedChangeList(ChangeList):
    """A list that knows the words behind a search, opens its rows' sealed fields and notes the look."""

    words: str | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Search by what was typed, which the address does not say; read once, since facets ask again."""
        if self.words is None:
            self.query = self.words = words_of(request, self.query)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page of rows, then open it."""
        try:
            super().get_results(request)
            self.result_list = list(self.result_list)
        except ValueError as error:
            # A year or a number that none is, found when the question is put; without one it is our fault.
            if not request.GET:
                raise
            raise BadRequest("No column holds what was asked for.") from error
        cast(Noting, self.model_admin).open_list(request, self.result_list, self.list_display)


def refuse_no_ids(request: HttpRequest, key: Any) -> None:
    """Refuse (400) a command on rows whose ids are none; the stock admin asks the database for them."""
    if not all(_fits(key, one) for one in request.POST.getlist(ACTION_CHECKBOX_NAME)):
        raise BadRequest("These are no rows of this list.")


class Picker(AutocompleteSelect):
    """The widget of a relation whose choices are asked for; what is no id at all names nothing."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        """Return what is chosen; the stock widget asks the database for whatever was sent."""
        key = self.field.remote_field.model._meta.pk
        return super().optgroups(name, [one for one in value if not one or _fits(key, one)], attr)


def _fits(key: Any, value: Any) -> bool:
    try:
        key.to_python(value)
    except ValidationError:
        return False
    return True


class ChoicesView(AutocompleteJsonView):
    """The choices of a relation, asked by POST: what is typed there stands in no address either."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer one page of choices."""
        request.GET = request.POST
        return self.get(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Fetch the page of rows, then note whom it names."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["object_list"] = list(context["object_list"])
        cast(Noting, self.model_admin).open_list(self.request, context["object_list"])
        return context
