"""Pages and sockets for an asynchronous server: Django behind, the live consumer behind an origin check."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.production")
django.setup(set_prefix=False)

# Django must be set up before these look for the user model.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from cortex.live.origin import OriginCheck  # noqa: E402
from cortex.live.routing import websocket_urlpatterns  # noqa: E402
from cortex.ops import warming  # noqa: E402
from cortex.ops.pages import Pages  # noqa: E402

pages = Pages()
sockets = OriginCheck(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
application = ProtocolTypeRouter({"http": pages, "websocket": sockets})
warming.run()
