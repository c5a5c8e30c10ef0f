"""The addresses of a person's timeline."""

from django.urls import URLPattern, URLResolver, path

from clinical.timeline import views

PERSON: list[URLPattern | URLResolver] = [
    path("timeline/", views.timeline, name="timeline"),
    path("timeline/day/<uuid:item_id>/words/", views.day_words, name="day_words"),
    path("timeline/<slug:source>/<uuid:item_id>/pin/", views.timeline_pin, name="timeline_pin"),
    path("timeline/<slug:source>/<uuid:item_id>/unpin/", views.timeline_unpin, name="timeline_unpin"),
    path("timeline/<slug:source>/<uuid:item_id>/review/", views.finding_review, name="finding_review"),
]
PAGES: list[URLPattern | URLResolver] = []
