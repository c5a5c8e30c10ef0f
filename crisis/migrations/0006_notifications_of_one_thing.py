"""Each notification is about one thing: checked and indexed without holding up whoever writes meanwhile."""

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Outside a transaction, as concurrent indexes need it."""

    atomic = False
    dependencies = [("crisis", "0005_notifications_of_tasks_and_shifts")]
    operations = [
        AddConstraintNotValid(
            model_name="notificationattempt",
            constraint=models.CheckConstraint(
                condition=Q(
                    alert__isnull=False, item__isnull=True, shift__isnull=True, event_id__isnull=False
                )
                | Q(alert__isnull=True, item__isnull=False, shift__isnull=True)
                | Q(alert__isnull=True, item__isnull=True, shift__isnull=False),
                name="notification_of_one_thing",
            ),
        ),
        ValidateConstraint(model_name="notificationattempt", name="notification_of_one_thing"),
        AddIndexConcurrently(
            "notificationattempt",
            models.Index(fields=["item"], condition=Q(item__isnull=False), name="attempt_item"),
        ),
        AddIndexConcurrently(
            "notificationattempt",
            models.Index(fields=["shift"], condition=Q(shift__isnull=False), name="attempt_shift"),
        ),
    ]
