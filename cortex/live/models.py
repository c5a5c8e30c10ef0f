"""The feed counter of each organization's board; the events themselves belong to the floors above."""

from django.db import models


class Feed(models.Model):
    """The last number of one organization's feed; its row lock orders the commits."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"feed at {self.number}"
