"""What the back office calls things is English."""

from __future__ import annotations

import re

from django.contrib import admin


def test_no_plural_is_made_by_adding_an_s_where_english_does_not() -> None:
    names = {
        str(name) for model in admin.site._registry for name in (
            model._meta.verbose_name, model._meta.verbose_name_plural
        )
    }  # fmt: skip
    wrong = re.compile(r"[^aeiou]ys$|feedbacks|check ins?$|\b(api|phi)\b|inboxs")
    assert [name for name in sorted(names) if wrong.search(name)] == []
    assert {"session activities", "API clients", "alert feedback", "daily check-ins"} <= names
