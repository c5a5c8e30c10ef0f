"""What forbids neural audio for a person (domain 6.1): a pure check over the answers that were given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

QUESTIONS: dict[str, str] = {
    "seizure_disorder": "Seizure disorder, or a seizure ever",
    "photosensitivity": "Photosensitivity",
    "implanted_device": "Implanted electronic device",
    "psychosis": "Psychosis, now or in the past",
    "pregnancy": "Pregnancy",
}
ANSWERS = (("unknown", "Not known"), ("no", "No"), ("yes", "Yes"))
# A coded factor of the risk ledger that says the same as a yes.
FACTORS = {"RF_DX_PSYCHOSIS": "psychosis"}


def reasons_against(answers: Mapping[str, str] | None, factors: Iterable[str] = ()) -> list[str]:
    """Return every reason in words why neural audio may not be assigned; none when nothing forbids it.

    Nothing counts as "no" that nobody asked: an unknown answer forbids as a yes does. `factors` are codes of
    risk factors on record; one of them outweighs a "no".
    """
    given = answers or {}
    on_record = {FACTORS[code] for code in factors if code in FACTORS}
    found = []
    for key, words in QUESTIONS.items():
        answer = given.get(key, "unknown")
        if answer == "yes":
            found.append(f"{words}.")
        elif key in on_record:
            found.append(f"{words}: on record as a risk factor.")
        elif answer != "no":
            found.append(f"{words}: not known. Ask first.")
    return found
