"""The addresses of plans: those below a person's chart, and those of nobody in particular."""

from django.urls import URLPattern, URLResolver, path

from clinical.plans import views
from clinical.plans.allergies import views as allergies
from clinical.plans.diagnoses import views as diagnoses
from clinical.plans.endings import views as endings
from clinical.plans.goals import views as goals
from clinical.plans.interventions import views as interventions
from clinical.plans.medications import views as medications
from clinical.plans.reviews import views as reviews

PERSON: list[URLPattern | URLResolver] = [
    path("plan/", views.plan, name="plan"),
    path("plan/begin/", views.plan_begin, name="plan_begin"),
    path("plan/edit/", views.plan_edit, name="plan_edit"),
    path("plan/sign/", views.plan_sign, name="plan_sign"),
    path("plan/approve/<int:version>/", views.plan_approve, name="plan_approve"),
    path("plan/agree/", views.plan_agree, name="plan_agree"),
    path("plan/move/", views.plan_move, name="plan_move"),
    path("plan/end/", endings.plan_end, name="plan_end"),
    path("plan/<uuid:plan_id>/reopen/", endings.plan_reopen, name="plan_reopen"),
    path("plan/print/", views.plan_print, name="plan_print"),
    path("plan/review/", reviews.review_hold, name="plan_review"),
    path("plan/<uuid:plan_id>/versions/<int:version>/", views.plan_version, name="plan_version"),
    path("plan/goals/add/", goals.goal_add, name="goal_add"),
    path("plan/goals/<uuid:goal_id>/", goals.goal_edit, name="goal_edit"),
    path("plan/goals/<uuid:goal_id>/progress/", goals.goal_progress, name="goal_progress"),
    path("plan/goals/<uuid:goal_id>/settle/", goals.goal_settle, name="goal_settle"),
    path("plan/goals/<uuid:goal_id>/drop/", goals.goal_drop, name="goal_drop"),
    path("plan/progress/<uuid:entry_id>/tick/", goals.milestone_tick, name="milestone_tick"),
    path("plan/progress/<uuid:entry_id>/take-back/", goals.progress_take_back, name="progress_take_back"),
    path("plan/interventions/add/", interventions.intervention_add, name="intervention_add"),
    path(
        "plan/interventions/<uuid:intervention_id>/",
        interventions.intervention_edit,
        name="intervention_edit",
    ),
    path(
        "plan/interventions/<uuid:intervention_id>/move/",
        interventions.intervention_move,
        name="intervention_move",
    ),
    path(
        "plan/interventions/<uuid:intervention_id>/end/",
        interventions.intervention_end,
        name="intervention_end",
    ),
    path("plan/diagnoses/add/", diagnoses.diagnosis_add, name="diagnosis_add"),
    path("plan/diagnoses/<uuid:diagnosis_id>/", diagnoses.diagnosis_edit, name="diagnosis_edit"),
    path("plan/diagnoses/<uuid:diagnosis_id>/error/", diagnoses.diagnosis_error, name="diagnosis_error"),
    path(
        "plan/diagnoses/<uuid:diagnosis_id>/undo/",
        diagnoses.diagnosis_error_undo,
        name="diagnosis_error_undo",
    ),
    path("plan/allergies/add/", allergies.allergy_add, name="allergy_add"),
    path("plan/allergies/none-known/", allergies.allergies_none_known, name="allergies_none_known"),
    path("plan/allergies/<uuid:allergy_id>/", allergies.allergy_edit, name="allergy_edit"),
    path("plan/allergies/<uuid:allergy_id>/error/", allergies.allergy_error, name="allergy_error"),
    path("plan/allergies/<uuid:allergy_id>/undo/", allergies.allergy_error_undo, name="allergy_error_undo"),
    path("plan/medications/add/", medications.medication_add, name="medication_add"),
    path("plan/medications/<uuid:medication_id>/", medications.medication_edit, name="medication_edit"),
    path(
        "plan/medications/<uuid:medication_id>/error/", medications.medication_error, name="medication_error"
    ),
    path(
        "plan/medications/<uuid:medication_id>/undo/",
        medications.medication_error_undo,
        name="medication_error_undo",
    ),
]

PAGES: list[URLPattern | URLResolver] = [
    path("plan-reviews/", reviews.review_queue, name="plan_reviews"),
    path("codes/search/", diagnoses.code_search, name="code_search"),
]
