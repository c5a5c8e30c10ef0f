"""An escalation chain as rows that a person reads and types, one step each; no writes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crisis.alerts.wording import WHO as CALLED
from crisis.policies.bounds import span
from crisis.policies.chain import MOST_STEPS, WHO, problem_of

PEOPLE = [("", "Nobody: no such step"), *((who, CALLED[who][0].upper() + CALLED[who][1:]) for who in WHO)]


def inputs_of(value: Any) -> list[Any]:
    """Return the inputs of a chain's steps, empty ones after the last; what was typed stands as it is."""
    steps = value if isinstance(value, list) else []
    if not all(isinstance(step, dict) for step in steps):
        return steps
    typed = [part for step in steps[:MOST_STEPS] for part in (step.get("after"), step.get("who"))]
    return typed + [None] * (2 * MOST_STEPS - len(typed))


class ChainWidget(forms.MultiWidget):
    """A table: step, seconds after the alert, and who is called."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        widgets: list[forms.Widget] = []
        for step in range(1, MOST_STEPS + 1):
            after = {"min": 0, "step": 1, "aria-label": f"Step {step}: seconds after the alert"}
            widgets.append(forms.NumberInput(after))
            widgets.append(forms.Select({"aria-label": f"Step {step}: who is called"}, PEOPLE))
        super().__init__(widgets, attrs)

    def decompress(self, value: Any) -> list[Any]:
        """Return the inputs of a chain."""
        return inputs_of(value)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Take a chain apart here: the stock widget takes every list for one that is apart already."""
        return super().get_context(name, inputs_of(value), attrs)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Draw the rows."""
        parts = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        drawn = [self._render(part["template_name"], {"widget": part}, renderer) for part in parts]  # type: ignore[attr-defined]
        rows = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>',
            ((number + 1, drawn[2 * number], drawn[2 * number + 1]) for number in range(MOST_STEPS)),
        )
        heads = format_html_join("", '<th scope="col">{}</th>', (("Step",), ("Seconds after",), ("Calls",)))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, rows)


class ChainField(forms.MultiValueField):
    """A list of {"after": seconds, "who": one of the chain's people}."""

    widget = ChainWidget

    def __init__(self, **kwargs: Any) -> None:
        fields: list[forms.Field] = []
        for _ in range(MOST_STEPS):
            fields += [
                forms.IntegerField(min_value=0, required=False),
                forms.ChoiceField(choices=PEOPLE, required=False),
            ]
        super().__init__(fields, require_all_fields=False, **kwargs)

    def compress(self, data_list: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the steps that were filled in; half a step is refused."""
        steps = []
        for number, (after, who) in enumerate(zip(data_list[::2], data_list[1::2], strict=True), 1):
            if after is None and not who:
                continue
            if after is None or not who:
                raise forms.ValidationError(f"Step {number} needs a time and somebody to call.")
            steps.append({"after": after, "who": who})
        return steps

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether any input differs from the chain as it stands."""
        return super().has_changed(inputs_of(initial), data)


class ClocksForm(forms.ModelForm):  # type: ignore[type-arg]
    """What both forms share: each clock says how short and how long it may be."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.help_text = f"{field.help_text} {span(name, self.instance.level)}".strip()


class MediumForm(ClocksForm):
    """The clocks of a medium level, which opens no alert and calls nobody."""

    class Meta:
        help_texts: ClassVar[dict[str, str]] = {
            "acknowledge_seconds": "By when somebody looks (24 hours are 86400).",
            "contact_seconds": "By when somebody tries to reach the person (72 hours are 259200).",
            "repeat_seconds": "How long after a task is overdue it is told of again; the second time the "
            "supervisors are told.",
        }


class PolicyForm(ClocksForm):
    """The clocks of one level, with their chain as rows."""

    chain = ChainField(
        label="Who is called",
        help_text="The first step is the notification itself. Past the last one, it is repeated.",
    )

    def clean_chain(self) -> list[dict[str, Any]]:
        """Refuse here what the action would refuse: what was typed stays in its rows."""
        chain: list[dict[str, Any]] = self.cleaned_data["chain"]
        problem = problem_of(chain, self.instance.level)
        if problem:
            raise forms.ValidationError(problem)
        return chain
