"""The words of codes on cards and timelines: plain, short, present tense; nothing a person wrote."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from crisis.alerts.states import Status
from crisis.risk.reasons import sentence

LANGUAGES = {"en": "English", "sw": "Swahili", "sheng": "Sheng", "mixed": "Mixed"}
STAGES = {
    Status.NEW: "Waiting",
    Status.NOTIFIED: "Waiting",
    Status.ACKNOWLEDGED: "Claimed",
    Status.IN_CONTACT: "In contact",
    Status.MONITORING: "Keeping watch",
    Status.RESOLVED: "Resolved",
    Status.FALSE_ALARM: "False alarm",
    Status.MERGED: "Merged",
}
OWN_REASONS = {
    "no_cover": "Nobody is on shift for this service",
    "canary": "The watchdog tries whether alerts arrive",
    "could_not_screen": "Sent something that could not be read",
    "could_not_store": "Sent something that could not be kept",
    "raised_by_staff": "A member of staff is worried",
    "third_party_report": "Somebody else is worried about them",
}
WHO = {
    "on_duty": "everybody on shift",
    "second": "a second counselor",
    "supervisor": "the supervisor",
    "on_call": "the clinician on call",
    "lead": "the lead of the service",
}
LOST_NOTE = "Your note could not be kept. Please write it again."
# Why the clock gave an alert back, where nobody wrote a note.
RELEASES = {"inactive": "released_inactive", "owner_gone": "released_absent"}
# How a person was reached, or was not.
CHANNELS = {
    "phone": "by phone",
    "app": "in the app",
    "chat": "by chat",
    "sms": "by text message",
    "in_person": "in person",
}
BY_CHANNEL = ("contact_attempt", "contact_made")
# kind of event: title, icon, tone
EVENTS: dict[str, tuple[str, str, str]] = {
    "raised": ("Alert raised", "urgent", "crit"),
    "level_raised": ("Level went up", "arrow-up-right", "crit"),
    "evidence_added": ("More signals arrived", "activity", ""),
    "renotified": ("New signals, people told again", "bell-ringing", ""),
    "notified": ("Seen by somebody on shift", "eye", ""),
    "step_fired": ("Called {who}", "bell-ringing", ""),
    "step_skipped": ("Nobody to call: {who}", "alert-triangle", "crit"),
    "step_unconfirmed": ("Nobody confirmed the call-out", "alert-triangle", "crit"),
    "confirmed_late": ("Seen by now", "eye", "ok"),
    "step_failed": ("A step could not run, the supervisor was told", "alert-triangle", "crit"),
    "claimed": ("Claimed", "user-check", ""),
    "claim_warned": ("Asked the owner: still on it?", "clock", ""),
    "released": ("Given back to the queue", "arrow-back-up", ""),
    "released_inactive": ("Released by the clock: nothing was logged", "arrow-back-up", ""),
    "released_absent": ("Released: its owner stayed away", "arrow-back-up", ""),
    "taken_over": ("Taken over", "user-check", ""),
    "owner_told": ("Former owner told", "users", ""),
    "cover_back": ("Somebody is on shift again", "user-check", "ok"),
    "canary_over": ("The try is over", "check", "ok"),
    "contact_attempt": ("Tried to reach the person", "phone", ""),
    "contact_made": ("Contact made", "phone-call", "ok"),
    "contact_ended": ("Contact ended, keeping watch", "eye", ""),
    "contact_overdue": ("First contact is overdue", "clock", "crit"),
    "still_with": ("Still with them", "heart-handshake", "ok"),
    "check_in_asked": ("Supervisor asked to look in", "users", ""),
    "disposition_overdue": ("The outcome is overdue", "clock", "crit"),
    "owner_gone": ("The owner left the desk", "logout", "crit"),
    "owner_back": ("The owner is back", "user-check", "ok"),
    "supervisor_told": ("Supervisor told", "users", ""),
    "chain_beside": ("The chain runs beside the absent owner", "alert-triangle", "crit"),
    "escalated": ("Escalated", "arrow-up-right", "crit"),
    "second_review_asked": ("Second reader asked", "eye", ""),
    "second_review_agreed": ("Second reader agreed", "check", "ok"),
    "second_review_refused": ("Second reader did not agree", "x", "crit"),
    "second_review_withdrawn": ("Second reading withdrawn: things have changed", "x", ""),
    "review_waiting": ("Second reading is waiting", "eye", ""),
    "review_overdue": ("Second reading is overdue", "clock", "crit"),
    "note": ("Note", "notes", ""),
    "person_linked": ("Linked to the person on record", "user-check", ""),
    "person_unlinked": ("Not the person on record: the link was undone", "x", "crit"),
    "contacts_opened": ("Emergency contacts opened without consent", "phone-call", "crit"),
    "raised_again": ("Raised again as an alert of its own", "urgent", "crit"),
    "welfare_check_send": ("A supervisor decided: a welfare check is sent", "phone-call", "crit"),
    "welfare_check_dont_send": ("A supervisor decided: no welfare check is sent", "check", ""),
    "welfare_check_try_again": ("A supervisor decided: try to reach them again", "refresh", ""),
    "resolved": ("Resolved", "check", "ok"),
    "false_alarm": ("Closed as a false alarm", "check", ""),
    "reopened": ("Reopened", "refresh", "crit"),
    "merged": ("Merged into the other alert of this person", "check", ""),
    "merged_in": ("Another alert of this person was merged into this one", "activity", ""),
    "source_opened": ("Source message opened", "eye", ""),
}
REVIEW_REASONS = {
    "note_unsigned": (
        "A note waits for its signature",
        "Its author has not signed it for three days; after seven their supervisor sees it.",
    ),
    "addendum_unsigned": (
        "An addendum to a note waits for its signature",
        "Its author has not signed it for three days; after seven their supervisor sees it.",
    ),
    "risk_review": ("Signals at medium: have a look today", "The engine's level went to medium."),
    "follow_up_missed": ("A promised follow-up has passed", "Nobody logged this contact in time."),
    "first_contact": (
        "A first contact is due: reach them within three days",
        "Signals came to medium. A try that nobody answers counts; what is logged on an alert or a "
        "follow-up, and a session that begins, end this task by themselves.",
    ),
    "welfare_check": (
        "Nobody reached this person: decide on a welfare check",
        "A supervisor decides whether somebody is sent, none is, or it is tried again.",
    ),
    "welfare_check_sent": (
        "Ring back: what did the welfare check find?",
        "Somebody was asked to go. Write down what they found, and call the person.",
    ),
    "level_stands_after_end": (
        "The level still stands a day after the alert ended",
        "No new evidence has come. Look whether the level should stand.",
    ),
    "third_party_concern": (
        "Somebody wrote about another person",
        "A message names a worry about somebody else.",
    ),
    "safeguarding": (
        "A young person: consider safeguarding",
        "The person is under 18 and the rules ask for a look.",
    ),
    "past_attempt_mentioned": ("An earlier attempt was mentioned", "Ask about it and put it on record."),
    "emotion_flagged": (
        "An emotion reading needs a look",
        "Severe markers, or hopelessness: see whether the reading is right, and ask.",
    ),
    "phq9_suggested": ("Offer a PHQ-9", "They wrote about thinking too much, a way to speak of distress."),
    "after_the_fact_review": (
        "Look again at what was done without a second reader",
        "Emergency services or an involuntary admission: review it within a day.",
    ),
    "postvention": (
        "A person has died: see to postvention",
        "Care for those who were close and for the team, and keep the record as it is.",
    ),
    "caller_linked": (
        "A caller was linked to somebody on record",
        "A colleague without a relationship to this person did it. Check it on the alert, undo it if wrong.",
    ),
    "contacts_opened": (
        "Emergency contacts were opened without consent",
        "Read why on the alert's timeline. Tell the person when it is safe, and write down that you did.",
    ),
    "safety_plan_review": (
        "Go through the safety plan",
        "Look at it with the person and say on its page that it is still right, or change it. Where there is "
        "none, make one together.",
    ),
    "verify_resources": ("Check the crisis lines", "Numbers that nobody checked for 90 days are hidden."),
    "alarm_budget": (
        "The last seven days were outside the alarm budget",
        "Look at Calibration which line is outside, and by which rules. Nothing is held back for it: propose "
        "what should rest or change.",
    ),
    "cssrs_declined": ("The C-SSRS was declined or broken off", "Ask directly, today."),
    "item9_missing": ("PHQ-9 item 9 was left out", "Ask directly, today."),
    "cssrs_due": ("Offer the C-SSRS today", "Item 9 of the PHQ-9 was answered with more than not at all."),
    "phq9_due": ("Offer a PHQ-9", "A short measure asks for the full one."),
    "measure_overdue": (
        "A measure is overdue",
        "It was due a week ago or longer. Ask it, or change this person's schedule.",
    ),
    "measure_worse": ("A measure has become clearly worse", "Look at it with the person within two days."),
}


def reason_sentence(code: str, language: str = "en") -> str:
    """Return the short sentence of a reason code, for a card."""
    return OWN_REASONS.get(code) or sentence(code, language)


def event_words(kind: str, codes: dict[str, Any]) -> tuple[str, str, str]:
    """Return title, icon and tone of a timeline entry."""
    kind = RELEASES.get(str(codes.get("why")), kind) if kind == "released" else kind
    title, icon, tone = EVENTS.get(kind, (kind.replace("_", " ").capitalize(), "history", ""))
    if kind in BY_CHANNEL and codes.get("channel") in CHANNELS:
        title = f"{title} {CHANNELS[codes['channel']]}"
    return title.format(who=WHO.get(str(codes.get("who")), "the next person")), icon, tone


def follow_up_words(label: str) -> str:
    """Return which contact of a series a follow-up is, in words: `72h` is "Contact after 72 hours"."""
    if label == "first":
        return "First follow-up"
    unit = {"h": "hours", "d": "days"}.get(label[-1:], "")
    return f"Contact after {label[:-1]} {unit}" if unit else f"Contact after {label}"


def review_words(code: str) -> tuple[str, str]:
    """Return title and explanation of a review item."""
    return REVIEW_REASONS.get(code, (code.replace("_", " ").capitalize(), "A person should have a look."))


def span_words(span: timedelta) -> str:
    """Return "32 s", "5 min" or "2 h 5 min"."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 120 and seconds % 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return (
        " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""))) or "0 s"
    )


def spans_words(seconds: Iterable[int]) -> str:
    """Return "5 min", or "5 min to 10 min" where services differ."""
    ends = sorted(set(seconds))
    return " to ".join(span_words(timedelta(seconds=one)) for one in dict.fromkeys((ends[0], ends[-1])))
