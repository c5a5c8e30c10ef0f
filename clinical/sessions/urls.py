"""The addresses of sessions: below a person's chart, and the review of emotions over one's own people."""

from django.urls import URLPattern, URLResolver, path

from clinical.sessions import views
from clinical.sessions.emotions import views as emotions
from clinical.sessions.labelling import views as labelling
from clinical.sessions.neural import views as neural

PERSON: list[URLPattern | URLResolver] = [
    path("sessions/", views.session_list, name="sessions"),
    path("sessions/start/", views.session_start, name="session_start"),
    path("sessions/<uuid:session_id>/", views.session_page, name="session"),
    path("sessions/<uuid:session_id>/log/", views.session_entry, name="session_entry"),
    path(
        "sessions/<uuid:session_id>/log/<uuid:entry_id>/undo/",
        views.session_entry_undo,
        name="session_entry_undo",
    ),
    path("sessions/<uuid:session_id>/risk/", views.session_risk, name="session_risk"),
    path("sessions/<uuid:session_id>/end/", views.session_end, name="session_end"),
    path("sessions/<uuid:session_id>/words/", views.session_words, name="session_words"),
    path("sessions/<uuid:session_id>/label/", labelling.session_label, name="session_label"),
    path("emotions/<uuid:observation_id>/review/", emotions.emotion_review, name="emotion_review"),
    path("emotions/<uuid:observation_id>/undo/", emotions.emotion_undo, name="emotion_undo"),
    path("neural-audio/", neural.neural, name="neural"),
    path("neural-audio/check/", neural.neural_check, name="neural_check"),
    path("neural-audio/assign/", neural.neural_assign, name="neural_assign"),
    path("neural-audio/end/", neural.neural_end, name="neural_end"),
    path("neural-audio/profile/", neural.neural_profile, name="neural_profile"),
    path("neural-audio/proposals/<uuid:proposal_id>/", neural.neural_decide, name="neural_decide"),
]

PAGES: list[URLPattern | URLResolver] = [
    path("emotions/", emotions.emotions, name="emotions"),
]
