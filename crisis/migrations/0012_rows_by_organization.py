"""PostgreSQL shows the application the alerts and the work of the organizations that its transaction named."""

from django.db import migrations

from cortex.access.rows import NAMED, GuardRows

MODELS = (
    "RiskAlert",
    "AlertEvent",
    "AlertFeedback",
    "AlertStep",
    "NotificationAttempt",
    "PagerEndpoint",
    "Evidence",
    "RiskAssessment",
    "RiskDue",
    "ReviewItem",
    "FollowUp",
    "FollowUpAttempt",
    "SecondReview",
    "IntakeKey",
    "IntakeRequest",
)
# Who is at the desk of an organization is its business, also where they are another service's people.
COVERING = {"covering_shifts": f"covers && {NAMED}"}


class Migration(migrations.Migration):
    """Locks one table at a time; docs/OPERATIONS.md says in which order to upgrade."""

    atomic = False
    dependencies = [
        ("crisis", "0011_reach_before_a_scope"),
        ("patients", "0008_rows_by_organization"),
    ]
    operations = [
        *(GuardRows(model) for model in MODELS),
        GuardRows("DutyShift", besides=COVERING),
        # The default clocks are everybody's.
        GuardRows("SlaPolicy", shared=True),
        # The page of crisis lines is one tap away for everybody, signed in or not, and shows all of them.
        GuardRows("CrisisResource", shared=True, besides={"everybody_reads": "true"}),
    ]
