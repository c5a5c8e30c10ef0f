"""Fields of an administration: who answers, when, and the answers; no writes here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.utils.timezone import localtime

from clinical.assessments.definitions import Definition, Item
from clinical.assessments.models import Mode
from cortex.ui.moments import MomentField


class BeginForm(forms.Form):
    """How a measure is given."""

    mode = forms.ChoiceField(
        label="How it is given", choices=Mode.choices, initial=Mode.INTERVIEWER,
        widget=forms.Select(attrs={"class": "select"}),
    )  # fmt: skip
    language = forms.ChoiceField(
        label="Language", choices=[], required=False, widget=forms.Select(attrs={"class": "select"})
    )
    form = forms.ChoiceField(
        label="Form", choices=[], required=False, widget=forms.Select(attrs={"class": "select"})
    )

    def __init__(
        self, *args: Any, languages: list[str], language: str, forms: list[tuple[str, str]],
        last: datetime | None, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Take the forms (key, title), the one to ask next first, and when one was answered last."""
        super().__init__(*args, **kwargs)
        self.order_fields(["form", "mode", "language"])
        if last is None:
            del self.fields["form"]
        else:
            self.fields["form"].choices = forms  # type: ignore[attr-defined]
            self.fields["form"].help_text = f"Answered last on {localtime(last):%-d %b %Y}."
        self.fields["language"].choices = [(one, LANGUAGES.get(one, one)) for one in languages]  # type: ignore[attr-defined]
        if language in languages:
            self.fields["language"].initial = language


LANGUAGES = {"en": "English", "sw": "Kiswahili"}


class Question(NamedTuple):
    """One question with its number; `asked_if` ("q2=1", by blanks) and `hint` say when it is asked, or ""."""

    number: int
    field: forms.BoundField
    asked_if: str = ""
    hint: str = ""


class AnswersForm(forms.Form):
    """The answers of a measure, one radio group per item; an empty one is a missing answer."""

    administered_at = MomentField(
        label="Given at", required=False,
        help_text="Leave empty for now. For paper: when it was filled in.",
    )  # fmt: skip
    finish_anyway = forms.BooleanField(label="Finish as it is", required=False)

    def __init__(self, *args: Any, definition: Definition, texts: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition, self.texts = definition, texts
        for item in definition.items:
            words = texts.get("item_answers", {}).get(item.key) or texts.get("answers", {})
            values = [str(one.value) for one in definition.answers]
            choices = [(value, words.get(value, value)) for value in values]
            self.fields[item.key] = forms.TypedChoiceField(
                label=texts.get("items", {}).get(item.key, item.key), choices=choices, required=False,
                coerce=int, empty_value=None, widget=forms.RadioSelect,
            )  # fmt: skip

    def questions(self) -> list[Question]:
        """Return the questions in their order."""
        return [
            Question(number, self[item.key], " ".join(f"{key}={value}" for key, value in item.asked_if),
                     self._hint(item))
            for number, item in enumerate(self.definition.items, 1)
        ]  # fmt: skip

    def _number(self, key: str) -> int:
        return [item.key for item in self.definition.items].index(key) + 1

    def _hint(self, item: Item) -> str:
        """Return after which answers a question is asked; "" for one that always is."""
        told = []
        for key, value in item.asked_if:
            words = self.texts.get("item_answers", {}).get(key) or self.texts.get("answers", {})
            told.append(f"question {self._number(key)} was answered with {words.get(str(value), value)}")
        return f"Asked only when {' and '.join(told)}." if told else ""

    def answers(self) -> dict[str, int | None]:
        """Return the answers by key."""
        return {item.key: self.cleaned_data.get(item.key) for item in self.definition.items}

    def clean(self) -> dict[str, Any]:
        """Ask once more when answers that count are missing, or when some would not be kept."""
        data = super().clean() or self.cleaned_data
        answers = {item.key: data.get(item.key) for item in self.definition.items}
        asked = [one for one in self.definition.counted if self.definition.is_asked(one, answers)]
        missing = [one.key for one in asked if answers[one.key] is None and one.key not in self.errors]
        if missing and not data.get("finish_anyway"):
            names = ", ".join(str(self._number(key)) for key in missing)
            few = "An answer is" if len(missing) == 1 else f"{len(missing)} answers are"
            self.add_error(None, f"{few} missing (question {names}). Ask again, or tick below to finish so.")
        odd = [
            str(number) for number, item in enumerate(self.definition.items, 1)
            if answers[item.key] is not None and not self.definition.is_asked(item, answers)
        ]  # fmt: skip
        if odd and not data.get("finish_anyway"):
            which = f"Question {odd[0]} is" if len(odd) == 1 else f"Questions {', '.join(odd)} are"
            self.add_error(
                None,
                f"{which} not asked after these answers: what was answered there is not kept. Put right what "
                "is wrong, or tick below to finish so.",
            )
        return data
