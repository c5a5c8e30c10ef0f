"""Fields of a document that is brought, of its labels, and of the mark that it was an error."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django import forms

from clinical.documents.actions import MOST_REASON, DocumentData
from clinical.documents.models import DocumentKind
from clinical.documents.naming import MOST_SIGNS
from clinical.documents.wording import LABELS
from cortex.ui.moments import DayField
from patients.codes import LANGUAGE_NAMES

SELECT = {"class": "select"}
# What the choice of files offers first; what a file is, its bytes say.
OFFERED = ".pdf,.png,.jpg,.jpeg,.txt"
CHOICES = [(code, words) for code, words in LABELS.items() if code != "N"]


class UploadForm(forms.Form):
    """What is said of a file, and the file last: what was typed arrives even when the file is too large."""

    upload_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    kind = forms.ChoiceField(
        label="What it is", choices=[("", "Choose"), *DocumentKind.choices], widget=forms.Select(SELECT),
        error_messages={"required": "Choose what it is."},
    )  # fmt: skip
    title = forms.CharField(
        max_length=MOST_SIGNS, required=False, help_text="Empty: the file's own name.",
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
    )  # fmt: skip
    received_on = DayField(
        label="Came on",
        required=False,
        widget=forms.DateInput({"type": "date", "class": "input"}, "%Y-%m-%d"),
    )
    language = forms.ChoiceField(
        choices={"": "Not said"} | LANGUAGE_NAMES, required=False, widget=forms.Select(SELECT)
    )
    labels = forms.MultipleChoiceField(
        label="Sensitivity", required=False, choices=CHOICES, widget=forms.CheckboxSelectMultiple
    )
    file = forms.FileField(
        allow_empty_file=True, widget=forms.FileInput({"accept": OFFERED, "class": "input"}),
        error_messages={"required": "Choose the file."},
    )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """Return the action's words; nothing of the header that came with the file is taken but its name."""
        typed, file = self.cleaned_data, self.cleaned_data["file"]
        upload_id: UUID = typed["upload_id"]
        data = DocumentData(
            kind=typed["kind"], file_name=file.name, title=typed["title"], language=typed["language"],
            received_on=typed["received_on"], labels=typed["labels"],
        )  # fmt: skip
        return {"upload_id": upload_id, "data": data, "content": file.read()}


class ErrorForm(forms.Form):
    """Why a document doesn't belong where it is."""

    reason = forms.CharField(
        label="What is wrong", max_length=MOST_REASON,
        widget=forms.Textarea({"class": "textarea", "rows": 3, "autocomplete": "off"}),
        help_text="It stays on record with your name and this reason. The mark can't be taken back.",
        error_messages={"required": "Say what is wrong with it."},
    )  # fmt: skip


class LabelForm(forms.Form):
    """The sensitivity labels of a document."""

    labels = forms.MultipleChoiceField(
        label="Sensitivity", required=False, choices=CHOICES, widget=forms.CheckboxSelectMultiple
    )
