"""Puts our back office in the place of the stock admin site; what it holds stands in `office`."""

from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """The admin app with our site."""

    default = False
    default_site = "cortex.ui.office.BackOfficeSite"
