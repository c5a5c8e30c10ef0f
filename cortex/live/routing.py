"""The one path of sockets."""

from django.urls import path

from cortex.live.consumer import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]
