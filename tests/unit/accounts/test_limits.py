"""Idle and absolute limits, the cover and its PIN, sockets, own sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client
from django.utils import timezone

from cortex.access.declare import requires_any_staff
from cortex.accounts import actions, queries
from cortex.accounts.limits import SessionLimitsMiddleware, cover_when_idle, live_while_covered
from cortex.accounts.models import Organization, SessionState, User
from cortex.accounts.sessions.actions import cover_session, drop_expired_sessions, end_sessions_of
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.ops.models import SystemSetting
from tests.unit.accounts.conftest import PIN, People, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def cleo(people: People) -> Client:
    """Cleo's browser, signed in by the page, with a PIN."""
    User.objects.filter(pk=people.cleo.pk).update(pin_hash=make_password(PIN))
    client = Client()
    sign_in(client, "cleo@example.org")
    return client


def age(client: Client, *, minutes: int = 0, hours: int = 0, on_board: bool = False) -> None:
    """Let time pass for a session."""
    back = timezone.now() - timedelta(minutes=minutes, hours=hours)
    fields: dict[str, object] = {"last_input_at": back, "on_board": on_board}
    if hours:
        fields["started_at"] = back
    SessionState.objects.filter(session_key=client.session.session_key).update(**fields)


def cover(client: Client, people: People) -> None:
    """Cover Cleo's session."""
    key = client.session.session_key
    SessionState.objects.filter(session_key=key).update(on_board=True)
    cover_session(actor=actor_of_user(people.cleo), session_key=key)


def state(client: Client) -> SessionState:
    """What the limits know."""
    return SessionState.objects.get(session_key=client.session.session_key)


def test_fifteen_minutes_without_input_end_a_session(cleo: Client) -> None:
    key = cleo.session.session_key
    age(cleo, minutes=16)
    response = cleo.get("/me/")
    assert response.status_code == 302 and response["Location"].startswith("/accounts/login/")
    assert not Session.objects.filter(session_key=key).exists()
    assert AuditLog.objects.get(event_type="session.ended").codes == {"why": "idle"}


def test_fourteen_minutes_do_not(cleo: Client) -> None:
    age(cleo, minutes=14)
    assert cleo.get("/me/").status_code == 200


def test_a_session_ends_after_twelve_hours_however_busy(cleo: Client) -> None:
    age(cleo, hours=13)
    SessionState.objects.update(last_input_at=timezone.now())
    assert cleo.get("/me/").status_code == 302
    assert AuditLog.objects.get(event_type="session.ended").codes == {"why": "absolute"}


def test_setting_rows_move_the_limits_within_their_bounds(cleo: Client) -> None:
    SystemSetting.objects.create(key="session.idle_minutes", value=5)
    age(cleo, minutes=6)
    assert cleo.get("/me/").status_code == 302


def test_polling_is_no_input(cleo: Client) -> None:
    age(cleo, minutes=10)
    before = state(cleo).last_input_at
    assert cleo.get("/me/", headers={"HX-Request": "true"}).status_code == 200
    assert cleo.get("/me/", headers={"Sec-Fetch-Mode": "cors"}).status_code == 200
    assert state(cleo).last_input_at == before


def test_the_heartbeat_of_real_input_and_a_page_are_input(cleo: Client) -> None:
    age(cleo, minutes=10)
    assert cleo.post("/accounts/active", headers={"HX-Request": "true"}).status_code == 204
    assert timezone.now() - state(cleo).last_input_at < timedelta(minutes=1)
    age(cleo, minutes=10)
    cleo.get("/me/")
    assert timezone.now() - state(cleo).last_input_at < timedelta(minutes=1)


def test_a_board_is_covered_instead_of_ended(cleo: Client) -> None:
    age(cleo, minutes=16, on_board=True)
    response = cleo.get("/me/")
    assert response["Location"] == "/accounts/cover?next=%2Fme%2F"
    assert state(cleo).locked_at is not None
    assert AuditLog.objects.filter(event_type="session.covered").exists()


def test_a_board_without_a_pin_is_ended(cleo: Client, people: People) -> None:
    User.objects.update(pin_hash="")
    age(cleo, minutes=16, on_board=True)
    assert cleo.get("/me/")["Location"].startswith("/accounts/login/")


def ask(client: Client, user: User, rf, view, *, method: str = "get", data=None, **headers: str):
    """Put one request of this session through the limits."""
    request = getattr(rf, method)("/", data, headers=headers)
    request.user, request.session = user, client.session
    return SessionLimitsMiddleware(view).process_view(request, view, (), {})


@cover_when_idle
@live_while_covered
@requires_any_staff
def board(request):
    raise AssertionError("only marked")


def test_idling_covers_on_the_page_of_the_desk_and_ends_on_any_other(
    cleo: Client, people: People, rf
) -> None:
    assert ask(cleo, people.cleo, rf, board) is None
    assert state(cleo).on_board
    assert cleo.get("/me/").status_code == 200
    assert not state(cleo).on_board
    SessionState.objects.update(last_input_at=timezone.now() - timedelta(minutes=16))
    assert cleo.get("/me/")["Location"].startswith("/accounts/login/")


def test_parts_and_commands_leave_the_page_what_it_is(cleo: Client, people: People, rf) -> None:
    ask(cleo, people.cleo, rf, board)
    cleo.get("/me/", headers={"HX-Request": "true"})
    cleo.post("/accounts/active", headers={"HX-Request": "true"})
    cleo.post("/me/theme", {"theme": "dark"})
    assert state(cleo).on_board


def test_a_board_in_another_tab_keeps_the_session_by_covering_it(cleo: Client, people: People) -> None:
    cleo.get("/me/")
    age(cleo, minutes=16)
    answer = cleo.post("/accounts/cover", {"board": "yes"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "HX-Redirect" not in answer
    assert state(cleo).locked_at is not None and state(cleo).on_board
    age(cleo, minutes=40, on_board=True)
    assert queries.sockets_still_valid([pair(cleo, people.cleo)]) == set()


@pytest.mark.parametrize("role", ["admin", "auditor", "compliance"])
def test_who_has_no_desk_has_no_board_whatever_a_request_says(
    cleo: Client, people: People, role: str
) -> None:
    type(people.cleo).objects.filter(pk=people.cleo.pk).update(role=role)
    for path, form in (("cover", {}), ("unlock", {"pin": "482913"})):
        age(cleo, minutes=16)
        cleo.post(f"/accounts/{path}", {"board": "yes", **form})
        assert not SessionState.objects.exists(), "it idled away: no PIN brings it back"


def test_only_the_cover_believes_a_page_that_says_it_is_a_board(cleo: Client) -> None:
    age(cleo, minutes=16)
    assert cleo.post("/me/theme", {"board": "yes", "theme": "dark"}).status_code == 302
    assert not SessionState.objects.exists()


def test_a_session_lives_as_long_as_the_setting_says_up_to_a_day(cleo: Client) -> None:
    SystemSetting.objects.create(key="session.absolute_hours", value=24)
    age(cleo, hours=23)
    Session.objects.update(expire_date=F("expire_date") - timedelta(hours=23))
    SessionState.objects.update(last_input_at=timezone.now())
    assert cleo.get("/me/").status_code == 200


def test_the_page_counts_by_the_setting_too(cleo: Client) -> None:
    SystemSetting.objects.create(key="session.idle_minutes", value=5)
    assert 'data-idle="300"' in cleo.get("/me/").content.decode()


def test_under_the_cover_parts_and_scripts_hear_423(cleo: Client, people: People) -> None:
    cover(cleo, people)
    part = cleo.get("/me/", headers={"HX-Request": "true"})
    assert part.status_code == 423 and part["HX-Trigger"] == "session-covered"
    assert cleo.get("/me/", headers={"Sec-Fetch-Mode": "cors"}).status_code == 423
    assert cleo.post("/me/theme", {"theme": "dark"}).status_code == 423


def test_the_pin_takes_the_cover_off(cleo: Client, people: People) -> None:
    cover(cleo, people)
    assert "Covered" in cleo.get("/accounts/cover").content.decode()
    assert cleo.post("/accounts/unlock", {"pin": PIN}, headers={"HX-Request": "true"}).status_code == 204
    assert cleo.get("/me/").status_code == 200


def test_five_wrong_pins_sign_out(cleo: Client, people: People) -> None:
    key = cleo.session.session_key
    cover(cleo, people)
    answers = [cleo.post("/accounts/unlock", {"pin": "000001"}).status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 303]
    assert not Session.objects.filter(session_key=key).exists()
    assert AuditLog.objects.filter(event_type="session.refused", codes__by="pin").count() == 5


def test_the_page_covers_itself_when_its_time_is_up(cleo: Client) -> None:
    SessionState.objects.update(on_board=True)
    assert cleo.post("/accounts/cover", headers={"HX-Request": "true"}).status_code == 204
    assert state(cleo).locked_at is not None


def test_a_page_that_is_no_board_ends_itself_when_its_time_is_up(cleo: Client) -> None:
    response = cleo.post("/accounts/cover", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/accounts/login/"
    assert cleo.get("/me/").status_code == 302


def test_input_does_not_take_a_cover_off(cleo: Client, people: People) -> None:
    cover(cleo, people)
    assert cleo.post("/accounts/active").status_code == 423
    assert state(cleo).locked_at is not None


def test_an_ended_session_is_told_to_parts_by_a_redirect_of_the_whole_page(cleo: Client) -> None:
    age(cleo, minutes=16)
    response = cleo.get("/me/", headers={"HX-Request": "true"})
    assert response.status_code == 401 and response["HX-Redirect"] == "/accounts/login/"


def pair(client: Client, user: User) -> queries.SocketPair:
    """What the hub knows of a socket."""
    return (client.session.session_key, user.pk, user.access_version)


def test_a_closed_organization_keeps_nobody_and_lets_nobody_in(cleo: Client, people: People) -> None:
    asked = pair(cleo, people.cleo)
    Organization.objects.filter(pk=people.home.pk).update(is_active=False)
    assert queries.sockets_still_valid([asked]) == {asked}
    assert cleo.get("/me/").status_code == 302
    assert sign_in(Client(), "sam@example.org").status_code == 422
    assert sign_in(Client(), "charlie@example.org").status_code == 302


def test_a_live_sessions_socket_is_valid_and_asked_in_one_query(
    cleo: Client, people: People, django_assert_num_queries
) -> None:
    good, bad = pair(cleo, people.cleo), ("no-such-key", people.sam.pk, 1)
    queries.sockets_still_valid([])
    from cortex.accounts.sessions.clocks import limits

    limits()
    with django_assert_num_queries(1):
        assert queries.sockets_still_valid([good, bad]) == {bad}


@pytest.mark.parametrize("cause", ["logout", "disabled", "role", "password", "idle", "absolute", "own_list"])
def test_a_socket_is_invalid_after(cause: str, cleo: Client, people: People) -> None:
    asked = pair(cleo, people.cleo)
    ada = actor_of_user(people.ada)
    if cause == "logout":
        cleo.post("/accounts/logout/")
    elif cause == "disabled":
        actions.disable_user(actor=ada, user_id=people.cleo.pk)
    elif cause == "role":
        actions.update_user(actor=ada, user_id=people.cleo.pk, role="therapist")
    elif cause == "password":
        actions.set_password(actor=ada, user_id=people.cleo.pk, password="x" * 20, how="command")
    elif cause == "own_list":
        end_sessions_of(actor=actor_of_user(people.cleo), user_id=people.cleo.pk, why="own_list")
    else:
        age(cleo, **({"minutes": 18} if cause == "idle" else {"hours": 13}))
    assert queries.sockets_still_valid([asked]) == {asked}


def test_a_covered_boards_socket_goes_on(cleo: Client, people: People) -> None:
    cover(cleo, people)
    age(cleo, minutes=40, on_board=True)
    assert queries.sockets_still_valid([pair(cleo, people.cleo)]) == set()
    assert queries.live_sessions(people.cleo.pk, timezone.now()).exists()
    assert not queries.live_sessions(people.sam.pk, timezone.now()).exists()


def test_an_idle_page_counts_as_no_session(cleo: Client, people: People) -> None:
    age(cleo, minutes=40)
    assert not queries.live_sessions(people.cleo.pk, timezone.now()).exists()


def test_own_sessions_are_listed_and_one_is_ended(cleo: Client, people: People) -> None:
    other = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko Firefox/128.0"})
    sign_in(other, "cleo@example.org", REMOTE_ADDR="203.0.113.9")
    page = cleo.get("/me/").content.decode()
    assert "Firefox on Linux" in page and "This session" in page
    assert "203.0.113.0" in page and "203.0.113.9" not in page
    from allauth.usersessions.models import UserSession

    row = UserSession.objects.get(session_key=other.session.session_key)
    assert cleo.post("/me/sessions/end", {"session": row.pk}).status_code == 303
    assert other.get("/me/").status_code == 302
    assert cleo.get("/me/").status_code == 200


def test_all_other_sessions_end_together(cleo: Client, people: People) -> None:
    others = [Client(), Client()]
    for other in others:
        sign_in(other, "cleo@example.org")
    cleo.post("/me/sessions/end", {"session": "others"})
    assert [other.get("/me/").status_code for other in others] == [302, 302]
    assert cleo.get("/me/").status_code == 200


def test_a_session_of_somebody_else_is_not_found(cleo: Client, people: People) -> None:
    from allauth.usersessions.models import UserSession

    other = Client()
    sign_in(other, "sam@example.org")
    row = UserSession.objects.get(session_key=other.session.session_key)
    assert cleo.post("/me/sessions/end", {"session": row.pk}).status_code == 404
    assert other.get("/me/").status_code == 200


def test_a_session_without_clocks_gets_them_at_its_first_request(people: People) -> None:
    client = Client()
    client.force_login(people.cleo)
    assert client.get("/me/").status_code == 200
    assert SessionState.objects.get().user_id == people.cleo.pk


def test_expired_sessions_are_swept_with_their_clocks(cleo: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    assert drop_expired_sessions() == 1
    assert not SessionState.objects.exists()


def test_a_boards_live_parts_answer_under_the_cover_and_the_page_does_not(
    cleo: Client, people: People, rf
) -> None:
    @cover_when_idle
    @requires_any_staff
    def page_with_names(request):
        raise AssertionError("only marked")

    cover(cleo, people)
    part = {"HX-Request": "true"}
    assert ask(cleo, people.cleo, rf, board, **part) is None
    assert ask(cleo, people.cleo, rf, board).status_code == 302
    assert ask(cleo, people.cleo, rf, page_with_names, **part).status_code == 423


def test_what_is_open_to_everybody_stays_open_under_the_cover(cleo: Client, people: People) -> None:
    cover(cleo, people)
    assert cleo.get("/healthz").status_code == 200
    assert cleo.get("/crisis-lines/").status_code == 200


def test_an_open_page_hears_whose_session_it_is_also_under_the_cover(cleo: Client, people: People) -> None:
    age(cleo, minutes=10)
    before = state(cleo).last_input_at
    found = cleo.get("/accounts/again", headers={"HX-Request": "true"}).json()
    assert (found["me"], found["covered"]) == (str(people.cleo.pk), False)
    assert state(cleo).last_input_at == before, "a page that asks is no input"
    cover(cleo, people)
    assert cleo.get("/accounts/again", headers={"HX-Request": "true"}).json()["covered"] is True
    cleo.post("/accounts/logout/")
    assert cleo.get("/accounts/again", headers={"HX-Request": "true"}).status_code == 401


def test_only_a_token_of_another_session_is_told_as_one(cleo: Client, people: People) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"HX-Request": "true"})
    strict.cookies = cleo.cookies
    stale = strict.post("/me/theme", {"theme": "dark"})
    assert (stale.status_code, stale["X-Token"]) == (403, "stale")
    assert people.cleo.theme == User.objects.get(pk=people.cleo.pk).theme
    token = strict.get("/accounts/again").json()["token"]
    assert strict.post("/me/theme", {"theme": "dark"}, headers={"X-CSRFToken": token}).status_code == 204
    for other in (strict.get("/staff/"), cleo.post("/me/theme", headers={"Sec-Fetch-Site": "cross-site"})):
        assert other.status_code == 403 and "X-Token" not in other
