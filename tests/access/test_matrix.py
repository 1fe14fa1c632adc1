"""Endpoint × method × role × relation × id position, over every route there is.

The table is the policy file; the expectation is worked out here from its words by another way than
the middleware's (sets of named situations), so that the two must agree. A new route enters by
itself: without a row the first test fails.
"""

from functools import cache
from itertools import product

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch

from getihu.access import middleware, selectors
from getihu.access.contracts import RowScope
from getihu.access.middleware import AccessMiddleware
from getihu.accounts.contracts import ANONYMOUS, Actor, Duty, Grant, Purpose, Role, Scope, duty_of

MINE, NEAR, FAR, UNKNOWN = (
    "92330302MA2ECR1A0J",
    "92330302MA2ABC001M",
    "92330382MA2JXW6N1X",
    "92330302MA2ZZZ009A",
)
PLACES = {MINE: "330302001", NEAR: "330302005", FAR: "330382001"}
IDS = {"hers": MINE, "in her region": NEAR, "elsewhere": FAR, "unknown": UNKNOWN, "broken": "x'--"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def person(**over) -> Actor:
    return Actor(account_id="p", name="示例", duty=Duty.PERSON, **over)


def officer(role: Role, division: str) -> Actor:
    grant = Grant(role, "amr", Scope(frozenset({division})))
    return Actor(account_id="o", name="示例", duty=duty_of(role), grants=(grant,))


ACTORS = {
    "anonymous": ANONYMOUS,
    "person without a trader": person(),
    "owner": person(own=frozenset({MINE})),
    "may view": person(authorised=frozenset({(MINE, Purpose.VIEW)})),
    "may apply": person(authorised=frozenset({(MINE, Purpose.APPLY)})),
    **{f"{role} of the county": officer(role, "330302") for role in Role},
    **{f"{role} of the city": officer(role, "330300") for role in Role},
    **{f"{role} of another county": officer(role, "330383") for role in Role},
}
ROUTES = sorted(dict(selectors.routes()))


@pytest.fixture(autouse=True)
def registered(settings, monkeypatch):
    settings.ACCESS_DIVISION_OF = "tests.access.test_matrix.place_of"
    # A third of a million refusals: what their page says is asked elsewhere.
    monkeypatch.setattr(middleware, "render", lambda r, t, c, status: HttpResponse(status=status))


def place_of(code: str) -> str | None:
    return PLACES.get(code)


def status(route: str, method: str, actor: Actor, code: str) -> int:
    """What the wall answers; 200 stands for: the page is asked."""
    request = RequestFactory().generic(method, "/somewhere")
    namespace, _, name = route.rpartition(":")
    request.resolver_match = ResolverMatch(
        lambda r: HttpResponse(), (), {}, url_name=name, namespaces=[namespace] if namespace else []
    )
    request.actor = actor
    answer = wall().process_view(request, None, (), {"trader_code": code})
    return 200 if answer is None else answer.status_code


@cache
def wall() -> AccessMiddleware:
    return AccessMiddleware(lambda r: HttpResponse())


def lets_in(words: dict[str, set[str]], actor: str, kind: str, row: RowScope) -> bool:
    """The words of a row against a named situation, written out."""
    named = words["who"]
    on_a_trader = row is RowScope.TRADER
    if "anonymous" in named:
        return True
    if "signed_in" in named and actor != "anonymous":
        return True
    if actor == "owner":
        return "owner" in named and (kind == "hers" or not on_a_trader)
    if actor == "may view":
        return "authorised:view" in named and (kind == "hers" or not on_a_trader)
    if actor == "may apply":
        held = named & {"authorised:view", "authorised:apply"}
        return bool(held) and (kind == "hers" or not on_a_trader)
    role, _, place = actor.partition(" of ")
    if f"role:{role}" not in named:
        return False
    if not on_a_trader or place == "the city":
        return True
    return place == "the county" and kind in ("hers", "in her region")


@cache
def raw_rows() -> dict[tuple[str, str], dict]:
    import yaml

    rows = yaml.safe_load(selectors.POLICY_FILE.read_text("utf-8"))
    return {(row["route"], method): row for row in rows for method in row["methods"]}


def test_every_route_has_a_row_and_every_row_a_route():
    assert selectors.list_problems() == []


@pytest.mark.parametrize("route", ROUTES)
def test_the_wall_does_what_the_row_says(route):
    assert wrong_cells(route) == []


def wrong_cells(route: str) -> list[tuple]:
    rows = raw_rows()
    wrong = []
    for method, (who, actor), (kind, code) in product(METHODS, ACTORS.items(), IDS.items()):
        row = rows.get((route, "GET" if method == "HEAD" else method))
        got = status(route, method, actor, code)
        if row is None:
            fits = got == 405
        elif lets_in({"who": set(row["who"])}, who, kind, RowScope(row["row"])):
            fits = got == 200
        else:
            fits = got in ((302, 401) if who == "anonymous" else (403, 404))
        if not fits:
            wrong.append((method, who, kind, got))
    return wrong


@pytest.mark.parametrize(
    "guard",
    [
        ("admits", lambda row, actor: True),
        ("_reaches", lambda row, actor, kwargs: True),
    ],
    ids=["who", "row scope"],
)
def test_control_with_a_guard_taken_away_the_matrix_is_red(monkeypatch, guard):
    monkeypatch.setattr(middleware, *guard)
    assert wrong_cells("portal:trader")


def test_control_a_scope_that_takes_everything_in_makes_the_matrix_red(monkeypatch):
    monkeypatch.setattr(Scope, "covers", lambda self, division: True)
    assert wrong_cells("portal:trader")


def test_what_is_elsewhere_and_what_nobody_has_get_the_same_answer():
    actor = ACTORS["window_officer of the county"]
    assert status("portal:trader", "GET", actor, FAR) == 404
    assert status("portal:trader", "GET", actor, UNKNOWN) == 404
