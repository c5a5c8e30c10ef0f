"""Violations of the content policy: a count for each directive, kind of source and route; no address."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from cortex.records import Record


class BlockedSource(models.TextChoices):
    """From where came what the policy stopped."""

    INLINE = "inline", "Inline"
    EVAL = "eval", "Eval"
    DATA = "data", "data: or blob:"
    EXTENSION = "extension", "Browser extension"
    OWN = "own", "This host"
    HOST = "host", "Another host"
    OTHER = "other", "Something else"


class CspViolation(Record):
    """How often browsers said that our content policy stopped something on a page."""

    directive = models.CharField(max_length=40)
    source = models.CharField(max_length=10, choices=BlockedSource)
    route = models.CharField(max_length=100, help_text="The page's route by its name; no path, no id.")
    host = models.CharField(
        max_length=64, blank=True, help_text="The last other host, its last two labels alone."
    )
    times = models.PositiveBigIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = "CSP violation"
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(fields=["directive", "source", "route"], name="csp_violation_once"),
            models.CheckConstraint(condition=Q(source__in=BlockedSource.values), name="csp_violation_source"),
            models.CheckConstraint(
                condition=Q(times__gte=1, last_at__gte=F("first_at")), name="csp_violation_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.directive} {self.source} {self.route}"
