"""When a session passed its second factor, and the mail that says that somebody's factors were reset."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_admin_names"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="pendingmail",
            name="mail_kind_known",
        ),
        migrations.AddField(
            model_name="sessionstate",
            name="factor_passed_at",
            field=models.DateTimeField(
                blank=True, help_text="When a second factor was given (or set up) in this session.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="pendingmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reset", "Set a new password"),
                    ("invitation", "Invitation"),
                    ("factors", "Second factors reset"),
                ],
                max_length=12,
            ),
        ),
        AddConstraintNotValid(
            model_name="pendingmail",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["reset", "invitation", "factors"])), name="mail_kind_known"
            ),
        ),
        ValidateConstraint(model_name="pendingmail", name="mail_kind_known"),
        # Backwards first: mails of a kind that the older version doesn't know would break its constraint.
        migrations.RunSQL(migrations.RunSQL.noop, "DELETE FROM accounts_pendingmail WHERE kind = 'factors'"),
    ]
