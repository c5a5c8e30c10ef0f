"""The addresses of the crisis floor: the desk's pages, one alert's commands, and the intake's API."""

from django.urls import include, path

from crisis.byhand import views as byhand
from crisis.calibration import views as calibration
from crisis.casework import commands, views
from crisis.desk import views as desk
from crisis.duty import views as duty
from crisis.exceptions import views as exceptions
from crisis.followups import views as followups
from crisis.resources import views as resources
from crisis.reviews import views as reviews
from crisis.safetyplans import urls as safetyplans
from crisis.stepdown import urls as stepdown
from crisis.welfare import urls as welfare

PAGES = [
    path("board/", desk.board, name="board"),
    path("board/mute/", desk.mute, name="mute"),
    path("board/watch/", desk.watch, name="watch"),
    path("board/shift/", desk.board_shift, name="board_shift"),
    path("board/readings/", desk.board_readings, name="board_readings"),
    path("board/today/", desk.board_today, name="board_today"),
    path("board/late/", desk.board_late, name="board_late"),
    path("cases/", desk.my_cases, name="my_cases"),
    path("resolved/", desk.resolved, name="resolved"),
    path("followups/", followups.followups, name="followups"),
    path("followups/<uuid:follow_up_id>/", followups.followup_done, name="followup_done"),
    path("reviews/", reviews.review_list, name="review_list"),
    path("reviews/text-model/", reviews.text_model_page, name="text_model"),
    path("reviews/<uuid:item_id>/", reviews.review_detail, name="review_detail"),
    path("reviews/<uuid:item_id>/done/", reviews.review_done, name="review_done"),
    path("calibration/", calibration.calibration_page, name="calibration"),
    path("duty/", duty.duty, name="duty"),
    path("duty/start/", duty.duty_start, name="duty_start"),
    path("duty/pause/", duty.duty_pause, name="duty_pause"),
    path("duty/end/", duty.duty_end, name="duty_end"),
    path("crisis-lines/", resources.crisis_lines, name="resources"),
    *safetyplans.PAGES,
    *stepdown.PAGES,
    *welfare.PAGES,
    path("alerts/new/", byhand.alert_new, name="alert_new"),
    path("alerts/<uuid:alert_id>/", views.alert_page, name="alert_page"),
    path("alerts/<uuid:alert_id>/link/", byhand.alert_link, name="alert_link"),
    path("alerts/<uuid:alert_id>/unlink/", byhand.alert_unlink, name="alert_unlink"),
    path("alerts/<uuid:alert_id>/open-contacts/", exceptions.alert_contacts, name="alert_contacts"),
    path("alerts/<uuid:alert_id>/panel/", views.alert_preview, name="alert_preview"),
    path("alerts/<uuid:alert_id>/source/<uuid:source_id>/", views.alert_source, name="alert_source"),
    path("alerts/second-review/<uuid:review_id>/", views.review_decide, name="review_decide"),
    *(
        path(
            f"alerts/<uuid:alert_id>/{command.code.replace('_', '-')}/",
            views.command,
            {"code": command.code},
            name=f"alert_{command.code}",
        )
        for command in commands.COMMANDS
    ),
]

urlpatterns = [
    path("", include((PAGES, "crisis"))),
    path("api/v1/", include("crisis.intake.urls")),
    path("api/v1/", include("crisis.safetyplans.urls")),
]
