"""The whole address book: the ground's own doors, then each app by its dotted name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("cortex.ops.urls")),
    path("admin/", admin.site.urls),
    path("", include("cortex.accounts.urls")),
    path("", include("cortex.api.urls")),
    path("", include("cortex.ui.urls")),
    path("", include("crisis.urls")),
    path("", include("clinical.urls")),
]

handler500 = "cortex.ui.rules.failed"
