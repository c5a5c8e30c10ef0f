"""New months take the row-level security of their parent, and no temporary table can stand in for a real one."""

from django.db import migrations

from cortex.ops.partitions import FUNCTIONS

# Without this word PostgreSQL looks among temporary tables first: whoever may make one could put it in the
# place of the trail's inbox, which a function fills with its owner's rights.
INBOX = "ALTER FUNCTION cortex_audit_inbox() SET search_path = pg_catalog, public, pg_temp"
INBOX_BACK = "ALTER FUNCTION cortex_audit_inbox() SET search_path = pg_catalog, public"


class Migration(migrations.Migration):
    """Replaces functions only; going back leaves the newer ones, which do nothing more without policies."""

    dependencies = [("ops", "0002_policies"), ("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(INBOX, INBOX_BACK),
    ]
