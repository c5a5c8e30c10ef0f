"""Hostile text in every stored field stays text on every page and in the whole back office."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from playwright.sync_api import BrowserContext, Page, Route

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit.models import AuditLink
from cortex.crypto.sealed import SealedMixin
from cortex.ui.admin import ActionAdmin
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import FollowUp, ReviewItem
from tests import makers
from tests.browser import hostile, hostile_after
from tests.browser.conftest import Visitor
from tests.cast import Cast
from tests.live.conftest import listener

# A payload that ran calls `hit`; one that the policy stopped is a page that would have run it.
LISTEN = """
    window.hit = () => report('ran', location.pathname);
    addEventListener('securitypolicyviolation',
        (e) => report('stopped by the policy', location.pathname + ' ' + e.violatedDirective));
"""
MARK = re.compile(r"Zq\d{4}")
# Everything that a page shows or announces, and the elements that only a payload could have made.
LOOK = """() => {
    const said = [document.title, document.body.textContent];
    const made = [];
    for (const one of document.querySelectorAll('*')) {
        if (one.value) said.push(one.value);
        for (const {name, value} of one.attributes) {
            if (value.includes('Zq')) said.push(value);
            if (name.startsWith('on') || name.startsWith('hx-on') || /^\\s*(javascript|data):/i.test(value)
                    && ['href', 'src', 'action', 'formaction', 'data', 'xlink:href'].includes(name)) {
                made.push(one.outerHTML.slice(0, 120));
            }
        }
        const inline = one.localName === 'script' && !one.src && one.type !== 'application/json';
        if (inline || ['iframe', 'object', 'embed', 'math', 'base', 'animate', 'video', 'audio', 'style',
                'image'].includes(one.localName)) {
            made.push(one.outerHTML.slice(0, 120));
        }
    }
    return [said.join('\\n'), made];
}"""


# What the desk or the back office shows. Words that no page opens yet (a check-in's notes) are stored, too.
SHOWN = {
    "AlertEvent.note of a contact", "AlertEvent.note of a link", "AlertEvent.note of a release",
    "AlertEvent.note of an attempt", "AlertEvent.note of an escalation", "ApiClient.name",
    "CrisisResource.address", "CrisisResource.hours", "CrisisResource.name", "CrisisResource.phone",
    "CrisisResource.url", "DutyShift.agreement", "EmergencyContact.name", "EmergencyContact.note",
    "EmergencyContact.phone", "EmergencyContact.relationship", "FeatureFlag.description", "FeatureFlag.name",
    "FollowUpCheck.means_note",
    "Invitation.full_name", "LegalHold.matter", "LegalHold.reason", "LegalHold.release_reason",
    "Message.content", "Organization.domain", "Organization.name",
    "PagerEndpoint.name", "PagerEndpoint.url", "Patient.family_name", "Patient.given_name",
    "Patient.home_address", "Patient.pronouns", "RetentionPolicy.legal_basis", "RiskAlert.hand_note",
    "RiskAlert.resolution_notes",
    "SafetyPlan.contact", "SafetyPlan.text", "SafetyPlanItem.contact", "SafetyPlanItem.text",
    "SecondReview.decision_note", "SecondReview.request_note", "Session.client_ref", "StaffProfile.specialty",
    "StaffProfile.title", "FollowUpAttempt.note", "StepDown.decision_note", "StepDown.reason again",
    "WelfareDecision.reason", "WelfareDecision.reference", "SystemSetting.description",
    "SystemSetting.value", "User.full_name",
}  # fmt: skip

# The long form of `make proof`.
LONG = bool(os.environ.get("CORTEX_EXPLORE"))


@dataclass
class Eyes:
    """What was seen on the pages of one browser: faults, and the marks of the texts that were shown whole."""

    pen: hostile.Pen
    faults: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    looked: int = 0

    def watch(self, context: BrowserContext, page: Page) -> None:
        """Hear of every execution, violation and dialog from now on."""
        context.expose_function("report", lambda what, where: self.faults.append(f"{what}: {where}"))
        context.add_init_script(LISTEN)
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {page.url}"), dialog.dismiss()))

    def look(self, page: Page, body: str) -> None:
        """Judge the page as it stands, and whether it shows what came in `body` as it was written."""
        said, made = page.evaluate(LOOK)
        self.looked += 1
        self.faults += [f"made on {page.url}: {one}" for one in made]
        flat = squeezed(said)
        for mark in set(MARK.findall(body)):
            text = self.pen.written[mark]
            if squeezed(text) in flat or _cut(mark, text, flat):
                self.shown.add(mark)
            else:
                near = flat[flat.find(mark) :][:300] if mark in flat else "absent"
                self.faults.append(f"{self.pen.places[mark]} is mangled on {page.url}: {near}")


def squeezed(text: str) -> str:
    """Return a text with every stretch of white space as one blank, and JSON's escapes undone."""
    return " ".join(text.replace('\\"', '"').split())


def _cut(mark: str, text: str, flat: str) -> bool:
    """Whether every place that shows a text ends in an ellipsis or at a column's edge, as cut texts do."""
    starts = flat.split(mark)[1:]
    whole = squeezed(text).removeprefix(mark)
    for rest in starts:
        kept = rest.split("…", 1)[0]
        if not ("…" in rest and whole.startswith(kept.rstrip())):
            return False
    return bool(starts)


def office_pages(reader: str) -> list[str]:
    """Return a row's own page of each list of the back office that a role reads, and the lists themselves.

    The short form looks at every fourth list.
    """
    found = []
    for number, (model, kind) in enumerate(admin.site._registry.items()):
        assert isinstance(kind, ActionAdmin)
        roles = {str(one) for one in kind.view_roles | kind.write_roles}
        if reader != (Role.ADMIN if str(Role.ADMIN) in roles or model is AuditLink else Role.COMPLIANCE):
            continue
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        found += [f"{base}{row.pk}/change/" for row in newest(model, kind)]
        if LONG or number % 4 == 0:
            found.append(base)
    return found


def newest(model: type[Model], kind: ActionAdmin) -> list[Any]:
    """Return the newest row of the home organization, where a model has one."""
    home = User.objects.get(email="ada@example.org").organization_id
    rows = model._default_manager.all()
    if kind.organization_path is not None:
        rows = rows.filter(**{kind.organization_path: home})
    return list(rows.order_by("-pk")[:1])


def sealed_fields() -> set[str]:
    """Return every sealed column of the crisis floor, as Model.column."""
    return {
        f"{model.__name__}.{one.name}"
        for model in apps.get_app_config("crisis").get_models() for one in model._meta.concrete_fields
        if isinstance(one, SealedMixin)
    }  # fmt: skip


def source_pages(alert: RiskAlert) -> list[str]:
    """Return the addresses of the words that an alert rests on."""
    found = {str(one["source_id"]) for one in alert.factors if one.get("source_id")}
    assert found
    return [f"/alerts/{alert.pk}/source/{one}/" for one in found]


def test_hostile_text_in_every_field_stays_text(people: Cast, visit: Callable[..., Visitor]) -> None:
    pen = hostile.Pen()
    alerts, after = hostile.fill(people, pen), hostile_after.write(people, pen)
    planted = {place.split()[0] for place in pen.places.values()}
    assert sorted(sealed_fields() - planted - hostile_after.NOT_WORDS.keys()) == [], "nobody planted there"
    assert sorted(hostile_after.NOT_WORDS.keys() & planted) == []
    eyes = Eyes(pen)
    desk = [
        "/board/", "/cases/", "/followups/", "/resolved/", "/reviews/", "/reviews/?show=done", "/duty/",
        "/crisis-lines/", "/me/",
        *(f"/alerts/{one.pk}/" for one in alerts.values()),
        *source_pages(alerts["ended"]),
        *(f"/people/{alerts['kept'].patient_id}/safety-plan/{page}" for page in ("", "edit/", "print/")),
        *(f"/reviews/{one.pk}/" for one in ReviewItem.objects.filter(organization=people.home)),
        *(f"/followups/{one.pk}/" for one in FollowUp.objects.filter(organization=people.home)[:2]),
    ]  # fmt: skip
    operator = makers.make_user(Role.ADMIN, people.home, is_operator=True)
    reader = makers.make_user(Role.COMPLIANCE, people.home)
    rounds = {
        people.cleo: desk,
        people.sam: ["/staff/", "/board/", f"/alerts/{alerts['doubted'].pk}/", *after.pages()],
        people.alice: [f"/people/{after.patient.pk}/step-down/"],
        operator: office_pages(Role.ADMIN), reader: office_pages(Role.COMPLIANCE),
    }  # fmt: skip
    answers: dict[int, list[str]] = {}
    for user, paths in rounds.items():
        visitor = visit()
        eyes.watch(visitor.context, visitor.page)
        name, _, value = listener(user).cookie.partition("=")
        visitor.context.add_cookies([{"name": name, "value": value, "url": visitor.origin}])
        for path in paths:
            response = visitor.page.goto(visitor.origin + path, wait_until="domcontentloaded")
            assert response is not None
            answers.setdefault(response.status, []).append(f"{user.role} {path}")
            eyes.look(visitor.page, response.text())
    assert eyes.faults == []
    assert [one for status, paths in answers.items() if status != 200 for one in paths] == []
    seen = {pen.places[mark] for mark in eyes.shown}
    assert sorted(SHOWN - seen) == [], "no page showed these, so nothing was proven about them"
    assert eyes.looked > (100 if LONG else 60)


def test_the_eyes_see_what_runs_what_is_stopped_and_what_is_swallowed(visit: Callable[..., Visitor]) -> None:
    pen = hostile.Pen()
    text = pen.prose("A page that escapes nothing")
    policy = {"Content-Security-Policy": "default-src 'none'; script-src 'self'"}
    found = {}
    for name, headers in (("open", {}), ("held by a policy", policy)):
        eyes, visitor = Eyes(pen), visit()
        eyes.watch(visitor.context, visitor.page)
        body = f"<!doctype html><title>x</title><p>{text}</p><p>{'<img src=x onerror=hit()>'}</p>"
        visitor.page.route("**/raw/", _answers(body, headers))
        visitor.page.route("**/x", lambda route: route.abort())
        visitor.open("/raw/")
        eyes.look(visitor.page, body)
        visitor.complaints.clear()
        found[name] = {fault.split(":")[0].split(" on ")[0] for fault in eyes.faults}
        assert not eyes.shown
    assert {"ran", "made", "A page that escapes nothing is mangled"} <= found["open"]
    assert {"stopped by the policy", "made"} <= found["held by a policy"]
    assert "ran" not in found["held by a policy"]


def _answers(body: str, headers: dict[str, str]) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=body, content_type="text/html", headers=headers)
