"""The whole address book: the ground's own doors, then each app by its dotted name."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

APPS = ("cortex.accounts", "cortex.api", "cortex.ui", "patients", "crisis", "clinical")

urlpatterns = [
    path("", include("cortex.ops.urls")),
    path("admin/", admin.site.urls),
    *(path("", include(f"{app}.urls")) for app in APPS if find_spec(f"{app}.urls")),
]
