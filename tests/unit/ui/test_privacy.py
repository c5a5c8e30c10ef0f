"""Privacy mode blurs every pseudonym: none stands in a page beside what is marked, nor in a page's title."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client

from crisis.reviews.models import ReviewItem
from tests import makers
from tests.test_query_counts import House

pytestmark = pytest.mark.django_db
VOID = {"meta", "link", "input", "br", "hr", "img", "use", "path"}
PSEUDONYM = re.compile(r"CX-\w{3,}")


class Plain(HTMLParser):
    """Gathers the words of a page that privacy mode leaves readable, its title among them."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[bool] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marks = (dict(attrs).get("class") or "").split()
        if tag not in VOID:
            self.inside.append(bool({"pii", "pii-q"} & set(marks)) or any(self.inside[-1:]))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.inside[-1:]):
            self.words.append(data)


def test_no_page_of_the_desk_shows_a_pseudonym_that_privacy_mode_would_not_blur() -> None:
    house = House()
    house.rows = 4  # the next row is one with a second reading
    house.grow(5)
    pages = {name: (user, path) for name, (user, path, _) in house.pages().items() if "admin" not in name}
    item = ReviewItem.objects.filter(organization=house.cast.home, patient__isnull=False).first()
    assert item is not None and house.busy is not None
    pages["review"] = (house.cast.cleo, f"/reviews/{item.pk}/")
    pages["note"] = (house.cast.cleo, f"/alerts/{house.busy.pk}/note/")
    shown = 0
    for name, (user, path) in pages.items():
        client = Client()
        client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
        text = client.get(path).content.decode()
        plain = Plain()
        plain.feed(text)
        assert not PSEUDONYM.findall(" ".join(plain.words)), name
        shown += bool(PSEUDONYM.search(text))
        makers.scope_all()
    assert shown > 5, "pages with people were looked at"
