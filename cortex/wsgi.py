"""The pages for a synchronous server (gunicorn), beside an ASGI server for the sockets."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.production")
application = get_wsgi_application()

from cortex.ops import warming  # noqa: E402

warming.run()
