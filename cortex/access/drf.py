"""DRF's permission: the same declaration, asked of keys, patient tokens and people."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from cortex.access.declare import Access
from cortex.access.middleware import admits


class DeclaredAccess(BasePermission):
    """Admit what the view declared; a view without a declaration admits nobody."""

    message = "This key or account may not use this address."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare the declaration with the credentials: `request.auth` is an ApiKey or a patient token."""
        access: Access | None = getattr(view, "access", None)
        if access is None:
            return False
        if access.how == "public":
            return True
        if access.how == "roles":
            return admits(access, request._request)
        credential: Any = request.auth
        if access.how == "key":
            return getattr(credential, "kind", "") == "key" and access.scope in credential.scopes
        return getattr(credential, "kind", "") == "patient_token"
