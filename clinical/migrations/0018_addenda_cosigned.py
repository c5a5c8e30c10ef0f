"""A trainee's addendum waits for a co-signature: columns that no row is rewritten for.

Signed rows are held by a trigger, so a row that is there needs no other signature, which PostgreSQL keeps
beside the table and gives whatever pages of the version before add meanwhile. That trigger lets a co-signature
be given once, as it does for notes.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

WHEN_SIGNED = models.CheckConstraint(
    condition=models.Q(
        models.Q(("cosigned_at__isnull", True), ("cosigned_by__isnull", True)),
        models.Q(
            ("cosigned_at__isnull", False), ("cosigned_by__isnull", False), ("signed_at__isnull", False)
        ),
        _connector="OR",
    ),
    name="addendum_cosigned_when_signed",
)
BY_ANOTHER = models.CheckConstraint(
    condition=models.Q(
        ("cosigned_by__isnull", True),
        models.Q(("cosigned_by", models.F("author")), _negated=True),
        _connector="OR",
    ),
    name="addendum_cosigned_by_another",
)


class Migration(migrations.Migration):
    """One transaction that reads no row: after a lock that it didn't get, it runs again from the start."""

    dependencies = [
        ("clinical", "0017_tell_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="noteaddendum",
            name="needs_cosign",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Its author was a trainee when they signed it."
            ),
        ),
        migrations.AddField(
            model_name="noteaddendum",
            name="cosigned_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="noteaddendum", name="cosigned_at", field=models.DateTimeField(null=True)
        ),
        AddConstraintNotValid(model_name="noteaddendum", constraint=WHEN_SIGNED),
        AddConstraintNotValid(model_name="noteaddendum", constraint=BY_ANOTHER),
    ]
