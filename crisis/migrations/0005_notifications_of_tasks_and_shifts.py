"""A notification may be about a task or a shift; columns only, so that no table is locked for long."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_those_of_tasks_and_shifts(apps, schema_editor):
    """Going back: what is about no alert has no place in the table of before."""
    apps.get_model("crisis", "NotificationAttempt").objects.filter(alert__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("crisis", "0004_missed_follow_ups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="dutyshift",
            name="break_told_at",
            field=models.DateTimeField(help_text="When people were told of an overrun break.", null=True),
        ),
        migrations.AddField(
            model_name="dutyshift",
            name="is_planned",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="dutyshift",
            name="start_told_at",
            field=models.DateTimeField(
                help_text="When the supervisors were told of a start that nobody had planned.", null=True
            ),
        ),
        migrations.AddField(
            model_name="notificationattempt",
            name="item",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crisis.reviewitem",
            ),
        ),
        migrations.AddField(
            model_name="notificationattempt",
            name="shift",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crisis.dutyshift",
            ),
        ),
        migrations.AlterField(
            model_name="notificationattempt",
            name="alert",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notifications",
                to="crisis.riskalert",
            ),
        ),
        migrations.AlterField(
            model_name="notificationattempt",
            name="event_id",
            field=models.UUIDField(
                help_text="The event on the feed that the person's board shows.", null=True
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_those_of_tasks_and_shifts),
    ]
