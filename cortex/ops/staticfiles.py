"""How static files are stored and served: hashed names, ES module imports rewritten to them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's manifest storage that also rewrites `import … from "./x.js"`."""

    support_js_module_import_aggregation = True
