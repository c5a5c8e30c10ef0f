"""How static files are stored and served: hashed names, ES module imports rewritten to them."""

import contextlib
from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's manifest storage that also rewrites `import … from "./x.js"`."""

    support_js_module_import_aggregation = True


class PlainModuleManifestStorage(ManifestStaticFilesStorage):
    """The same names without compressed copies, for one machine."""

    support_js_module_import_aggregation = True


class StaticFiles(StaticFilesConfig):
    """Leaves out files that no page of ours uses and whose imports can't be resolved."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "django_htmx", "guardian"]


class WholeFiles(WhiteNoiseMiddleware):
    """WhiteNoise, answering with whole files: ours are small, and streams of them make ASGI warn."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Return what WhiteNoise found, read."""
        found = WhiteNoiseMiddleware.serve(static_file, request)
        with contextlib.closing(found):
            whole = HttpResponse(b"".join(found), status=found.status_code)
        whole.headers = found.headers
        return whole
