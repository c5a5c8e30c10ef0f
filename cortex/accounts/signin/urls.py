"""Addresses of the allauth pages that we keep, under the names by which allauth asks for them."""

from django.urls import path, re_path

from cortex.accounts.factors import views as factors
from cortex.accounts.signin import views

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("factor/", factors.challenge, name="mfa_authenticate"),
    path("reauthenticate/factor/", factors.confirm, name="mfa_reauthenticate"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/reset/", views.reset, name="account_reset_password"),
    path("password/reset/done/", views.reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[0-9a-z-]+)/$",
        views.reset_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", views.reset_key_done, name="account_reset_password_from_key_done"),
]
