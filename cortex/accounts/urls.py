"""Addresses of accounts: allauth's kept pages under their own names, ours in the namespace `accounts`."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("cortex.accounts.signin.urls")),
    path("", include("cortex.accounts.own_urls")),
]
