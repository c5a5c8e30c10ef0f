"""Only administrators are operators: checked without holding up who signs in meanwhile."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

ADMINS_ONLY = models.Q(("is_operator", False), ("role", "admin"), _connector="OR")


class Migration(migrations.Migration):
    """Outside a transaction, so that the table is not locked while its rows are checked."""

    atomic = False
    dependencies = [("accounts", "0002_operators")]
    operations = [
        AddConstraintNotValid(
            model_name="invitation",
            constraint=models.CheckConstraint(condition=ADMINS_ONLY, name="invitation_operator_is_admin"),
        ),
        ValidateConstraint(model_name="invitation", name="invitation_operator_is_admin"),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(condition=ADMINS_ONLY, name="user_operator_is_admin"),
        ),
        ValidateConstraint(model_name="user", name="user_operator_is_admin"),
    ]
