"""Addresses of the pages that are our own, in the namespace `accounts`."""

from django.urls import path

from cortex.accounts import views
from cortex.accounts.factors import views as factors
from cortex.accounts.invitations import views as invitations
from cortex.accounts.sessions import views as sessions
from cortex.accounts.signin import views as signin
from cortex.accounts.staff import views as staff

app_name = "accounts"
urlpatterns = [
    path("accounts/logout/", signin.logout, name="logout"),
    path("accounts/active", sessions.active, name="active"),
    path("accounts/again", sessions.again, name="again"),
    path("accounts/cover", sessions.cover, name="cover"),
    path("accounts/unlock", sessions.unlock, name="unlock"),
    path("accounts/invitation/", invitations.accept, name="invitation_accept"),
    path(
        "accounts/invitation/<uuid:invitation_id>/<str:token>/", invitations.open_link, name="invitation_open"
    ),
    path("me/", views.me, name="me"),
    path("me/name", views.name, name="name"),
    path("me/theme", views.theme, name="theme"),
    path("me/privacy", views.privacy, name="privacy"),
    path("me/preferences", views.preferences, name="preferences"),
    path("me/password", views.password, name="password"),
    path("me/pin", views.pin, name="pin"),
    path("me/factors/", factors.overview, name="factors"),
    path("me/factors/app", factors.app, name="factor_app"),
    path("me/factors/key", factors.key, name="factor_key"),
    path("me/factors/codes", factors.codes, name="factor_codes"),
    path("me/factors/remove", factors.remove, name="factor_remove"),
    path("me/sessions/end", sessions.end, name="session_end"),
    path("staff/", staff.people, name="staff_list"),
    path("staff/invite", staff.invite, name="staff_invite"),
    path("staff/<uuid:user_id>/unlock", staff.unlock, name="staff_unlock"),
    path("staff/<uuid:user_id>/factors/reset", factors.reset, name="staff_factors_reset"),
    path("staff/invitations/<uuid:invitation_id>/renew", staff.renew, name="invitation_renew"),
    path("staff/invitations/<uuid:invitation_id>/revoke", staff.revoke, name="invitation_revoke"),
]
