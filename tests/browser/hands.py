"""Somebody who works with the keyboard alone: each stop of the focus is in sight, ringed, and never lost."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor

# What is wrong with where the focus stands: nothing, or words that name the control. The ring is around the
# control or, where the control itself is not drawn, around what stands for it right behind.
WRONG = """() => {
  const at = document.activeElement;
  const name = at.outerHTML.slice(0, 160);
  const ringed = (one) => {
    const style = one && getComputedStyle(one);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      && style.outlineColor !== 'rgba(0, 0, 0, 0)';
  };
  if (!ringed(at) && !ringed(at.nextElementSibling)) return `no ring: ${name}`;
  const drawn = at.matches('.chip-check input') ? at.parentElement : at;
  const box = drawn.getBoundingClientRect();
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  if (right - left < 1 || bottom - top < 1) return `out of sight: ${name}`;
  const shows = [.5, .1, .9].some((part) => {
    const over = document.elementFromPoint(left + (right - left) * part, top + (bottom - top) * part);
    return over && (drawn.contains(over) || over.contains(drawn));
  });
  if (shows) return '';
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return `covered from ${top} to ${bottom} by ${over?.outerHTML.slice(0, 80)}: ${name}`;
}"""
LOST = "() => document.activeElement === document.body"


@dataclass
class Hands:
    """The keys that somebody presses at a page."""

    visitor: Visitor

    @property
    def page(self) -> Page:
        """The page they look at."""
        return self.visitor.page

    def _sees(self) -> None:
        wrong = self.page.evaluate(WRONG)
        assert not wrong, wrong

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        """Type into what has the focus; into no page that listens to single keys alone."""
        assert not self.page.evaluate(LOST), "the focus is lost: the words go nowhere"
        self.page.keyboard.type(words)

    def is_on(self, target: Locator) -> None:
        """Hold that a control has the focus by itself, for eyes too."""
        expect(target).to_be_focused()
        self._sees()

    def tab_to(self, target: Locator, *, back: bool = False, most: int = 60) -> Locator:
        """Press Tab (or Shift and Tab) until a control has the focus; hold that each stop is one to see."""
        expect(target).to_be_visible()
        for _ in range(most):
            self.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate(LOST):  # the browser's own bar, between the last control and the first
                continue
            self._sees()
            if target.evaluate("(one) => one === document.activeElement"):
                return target
        raise AssertionError(f"no Tab reaches {target}")

    def walk(self, *, back: bool = False, most: int = 200) -> int:
        """Go by Tab (or Shift and Tab) through a page, hold that each stop is one to see, and count."""
        for stops in range(most):
            self.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate(LOST):
                assert stops, "nothing of the page has the focus"
                return stops
            self._sees()
        raise AssertionError("no end to the page")

    def arrive(self, heading: str | None = None, level: int = 1) -> None:
        """Hold that a page has come, and pass over what is the same on each: the focus is in its own part."""
        if heading is not None:
            expect(self.page.get_by_role("heading", level=level).filter(has_text=heading)).to_be_visible()
        self.page.wait_for_load_state()  # before it the page knows no key
        if self.page.evaluate(LOST):  # it begins at its top, unless a form that was sent from there led on
            self.tab_to(self.page.get_by_role("link", name="Skip to main content"), most=1)
            self.press("Enter")
        self.is_on(self.page.get_by_role("main"))

    def press_button(self, name: str, *, back: bool = False) -> None:
        """Go to a button and press Enter."""
        self.tab_to(self.page.get_by_role("button", name=name, exact=True), back=back)
        self.press("Enter")

    def follow(self, name: str, *, back: bool = False) -> None:
        """Go to a link and press Enter."""
        self.tab_to(self.page.get_by_role("link", name=name, exact=True).first, back=back)
        self.press("Enter")

    def write(self, label: str, words: str, *, back: bool = False) -> None:
        """Go to a field and type."""
        self.tab_to(self.page.get_by_label(label, exact=True), back=back)
        self.type(words)

    def choose(self, label: str, words: str, *, back: bool = False) -> None:
        """Go to a list of choices and type the beginning of one."""
        chosen = self.tab_to(self.page.get_by_label(label, exact=True), back=back)
        self.type(words)
        expect(chosen.locator("option:checked")).to_contain_text(words)
