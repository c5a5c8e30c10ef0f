"""Fields of appointments: whom, when, how long and how often; no writes here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from clinical.scheduling.actions import MOST_WEEKS
from clinical.scheduling.models import CHANNELS, CancelReason, Kind
from clinical.scheduling.week import SkippedTime, moment_of, weekly
from cortex.days import BEYOND, is_usual

SELECT = {"class": "select"}


class WhenForm(forms.Form):
    """A local day and time, and how long; `starts` gives the moments once it is valid."""

    day = forms.DateField(label="Day", widget=forms.DateInput({"type": "date", "class": "input"}, "%Y-%m-%d"))
    time = forms.TimeField(
        label="Begins", widget=forms.TimeInput({"type": "time", "class": "input", "step": 300}, "%H:%M")
    )
    minutes = forms.IntegerField(
        label="Minutes", min_value=5, max_value=480, initial=50,
        widget=forms.NumberInput({"class": "input", "inputmode": "numeric"}),
    )  # fmt: skip
    beside_others = forms.BooleanField(
        label="Also beside an appointment that the person has with a colleague", required=False
    )

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.starts: list[datetime] = []

    def clean(self) -> dict[str, Any]:
        """Turn the local time into moments; one that clocks jump over is refused."""
        data = super().clean() or self.cleaned_data
        if data.get("day") and not is_usual(data["day"]):
            self.add_error("day", BEYOND)
        elif data.get("day") and data.get("time") is not None:
            try:
                self.starts = self._moments(data)
            except SkippedTime as skipped:
                self.add_error("time", f"{skipped}.")
        return data

    def _moments(self, data: dict[str, Any]) -> list[datetime]:
        return [moment_of(data["day"], data["time"], self.zone)]


class BookForm(WhenForm):
    """A new appointment, or a weekly series; `person` is chosen by id from those whom the reader treats."""

    person = forms.ChoiceField(label="Person", choices=[], widget=forms.Select(SELECT | {"data-name": "pii"}))
    kind = forms.ChoiceField(label="What it is", choices=Kind.choices, widget=forms.Select(SELECT))
    channel = forms.ChoiceField(
        label="Where", choices=[(one.value, one.label) for one in CHANNELS], widget=forms.Select(SELECT)
    )
    weeks = forms.IntegerField(
        label="Weeks", min_value=1, max_value=MOST_WEEKS, initial=1,
        widget=forms.NumberInput({"class": "input", "inputmode": "numeric"}),
        help_text="More than one repeats it every week at the same local time.",
    )  # fmt: skip
    leave_out_taken = forms.BooleanField(
        label="Leave out weeks in which I have something else", required=False
    )
    field_order = [
        "person", "day", "time", "minutes", "kind", "channel", "weeks", "leave_out_taken", "beside_others",
    ]  # fmt: skip

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", "Choose"), *people]  # type: ignore[attr-defined]

    def _moments(self, data: dict[str, Any]) -> list[datetime]:
        return weekly(data["day"], data["time"], data.get("weeks") or 1, self.zone)


class CancelForm(forms.Form):
    """Why an appointment is called off."""

    reason = forms.ChoiceField(
        label="Why", choices=[("", "Choose"), *CancelReason.choices], widget=forms.Select(SELECT),
        error_messages={"required": "Choose why it is called off."},
    )  # fmt: skip
    and_later = forms.BooleanField(label="Also the later ones of this series", required=False)


class ZoneForm(forms.Form):
    """The time zone of one's own calendar."""

    timezone = forms.CharField(
        label="Time zone", max_length=64, widget=forms.TextInput({"class": "input", "autocomplete": "off"})
    )
