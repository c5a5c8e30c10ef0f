"""The append-only trail: what was done, who looked, and the signed chain over both."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from cortex.crypto.fields import SealedJSONField
from cortex.ids import uuid7


class ActorColumns(models.Model):
    """Who, from where, on whose behalf: the columns that both trails share."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    occurred_at = models.DateTimeField(db_default=Now(), editable=False)
    organization_id = models.UUIDField(null=True, help_text="Whose record it is; empty for the house itself.")
    actor_kind = models.CharField(max_length=8)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=160)
    actor_role = models.CharField(max_length=24)
    purpose = models.CharField(max_length=32, blank=True)
    subject = models.UUIDField(null=True, help_text="The patient, by bare id.")
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip_hash = models.CharField(max_length=24, blank=True)
    session_hash = models.CharField(max_length=24, blank=True)
    legacy_ids = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True


class AuditLog(ActorColumns):
    """One thing that was done: a verb, an object, the names of the fields, codes; never a value."""

    sealed_subject = "organization_id"

    event_type = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16, default="done")
    fields = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    codes = models.JSONField(default=dict, blank=True, help_text="Codes, ids and numbers only.")
    details = SealedJSONField(null=True, blank=True)

    class Meta:
        verbose_name = "audit row"
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_org"),
            models.Index(fields=["subject", "-id"], name="audit_subject"),
            models.Index(fields=["object_id", "-id"], name="audit_object"),
            models.Index(fields=["event_type", "-id"], name="audit_verb"),
            models.Index(fields=["actor_id", "-id"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.object_type}"


class PhiAccessLog(ActorColumns):
    """One look at patient data: which kind, whose, by which relationship; partitioned by month."""

    relationship = models.CharField(max_length=48, blank=True)
    data_type = models.CharField(max_length=48)
    subjects = ArrayField(models.UUIDField(), default=list, blank=True, help_text="The patients of a list.")
    sections = ArrayField(models.CharField(max_length=48), default=list, blank=True)
    number_from = models.BigIntegerField(null=True, help_text="First feed number shown.")
    number_to = models.BigIntegerField(null=True, help_text="Last feed number shown.")
    digest = models.CharField(max_length=64, blank=True, help_text="Digest of the ids of a long run.")
    break_glass = models.UUIDField(null=True)

    class Meta:
        verbose_name = "access row"
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="access_org"),
            models.Index(fields=["subject", "-id"], name="access_subject"),
            models.Index(fields=["actor_id", "-id"], name="access_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.data_type} read"


class AuditInbox(models.Model):
    """Rows that the sequencer has not linked yet; filled by a trigger, emptied by the sequencer alone."""

    id = models.BigAutoField(primary_key=True)
    trail = models.CharField(max_length=16)
    row_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.trail} {self.row_id}"


class AuditLink(models.Model):
    """One link of the chain over both trails; the last link of a batch carries the signature."""

    number = models.BigIntegerField(primary_key=True)
    trail = models.CharField(max_length=16)
    row_id = models.UUIDField()
    row_digest = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()
    signature = models.BinaryField(null=True)
    key_id = models.CharField(max_length=16, blank=True)
    linked_at = models.DateTimeField()

    class Meta:
        verbose_name = "audit link"
        constraints = [models.UniqueConstraint(fields=["row_id"], name="one_link_per_row")]

    def __str__(self) -> str:
        return f"link {self.number}"
