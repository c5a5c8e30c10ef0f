"""The base of every API view: strict bodies, declared access, problem answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from cortex.access.drf import DeclaredAccess
from cortex.api import problems
from cortex.api.authentication import ApiKeyAuthentication, KeyCredential, PatientCredential
from cortex.api.parsers import Body, StrictJSONParser
from cortex.api.strict import BodyRefused
from cortex.audit.actors import Actor


class ApiView(APIView):
    """A door of the API; subclasses declare their access and answer in a few lines."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [DeclaredAccess]
    parser_classes = [StrictJSONParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Let a chunked body through: DRF takes a missing length for an empty body."""
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", ""):
            request.META["CONTENT_LENGTH"] = "-1"
        return super().initialize_request(request, *args, **kwargs)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Answer JSON whatever was asked for: a button must not fail on an Accept header."""
        return self.get_renderers()[0], "application/json"

    def get_exception_handler(self) -> Callable[..., Any]:
        """Return the problem handler."""
        return problems.handler

    @property
    def credential(self) -> KeyCredential | PatientCredential:
        """Who calls."""
        return self.request.auth  # type: ignore[return-value]

    @property
    def actor(self) -> Actor:
        """The actor of this request."""
        return self.credential.actor(self.request)

    def body(self) -> Body:
        """Return the body that was sent; an absent one is refused like an empty one."""
        data = self.request.data
        if not isinstance(data, Body):
            raise BodyRefused("empty_body", "The body is empty; send a JSON object.", line=1, column=1)
        return data

    def members(self) -> dict[str, Any]:
        """Return the members of a JSON body, which must be an object."""
        value = self.body().read().value
        if not isinstance(value, dict):
            raise BodyRefused("not_an_object", "Send one JSON object.", pointer="")
        return value
