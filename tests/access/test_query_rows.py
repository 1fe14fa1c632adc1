"""Every route whose scope lies in its query, with ids of one's own, of another shop or region, and
of nothing: what is out of reach gets the answer of what is not there.

It grows by itself: the routes are those of the policy file. A new one whose address names something
this file cannot make fails until it can, or until ``NOT_A_PERSON_S`` says why there is nothing to
keep apart; a new POST fails until ``FORMS`` says what it is sent.
"""

import io
import re
import uuid
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from getihu.access import selectors
from getihu.access.contracts import PolicyRow, RowScope
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.models import Account
from getihu.cases import services as cases
from getihu.cases.models import Attachment, BundleFile, BundleRun, Case, ContestedValue
from getihu.cases.selectors import bundles as bundle_reads
from getihu.cases.selectors import reads as case_reads
from getihu.cases.services import bundles as bundle_services
from getihu.cases.services import rights as case_rights
from getihu.dataplane.selectors import UnknownTrader
from getihu.entry import services as window
from getihu.entry.models import Appointment, Visit
from getihu.entry.selectors import window as window_reads
from getihu.entry.services import handing_over, receiving
from getihu.evaluations import selectors as rating_reads
from getihu.evaluations import services as rating_services
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.models import Rectification
from getihu.growth.models import Juror, Jury, Objection, Refresh
from getihu.growth.selectors import pools as list_reads
from getihu.passport.models import PresentationRequest
from getihu.policies.models import Award
from getihu.policies.selectors import awards as award_reads
from getihu.policies.services import moves as award_moves
from getihu.portal.views import mine as own_pages
from getihu.registry import selectors as registry
from getihu.supervision.models import Breach
from getihu.support.models import Appeal
from tests.access.test_second_wall import FAR, TODAY, rows
from tests.cases.cast import AT, SHOP, TOWN, YUEQING, id_of, officer
from tests.cases.test_bundles import FORM as BUNDLE_FORM
from tests.cases.test_cases import CATERING, FORM
from tests.signed_in import sign_in

__all__ = ["rows"]
pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"a plan"
PLACES = {SHOP: TOWN, FAR: "330382001"}

# Rows whose address names nothing of a trader's or whose number is itself the way in.
NOT_A_PERSON_S = {
    "portal:scan": "the code of a minute is the way in",
    "portal:licence-request": "the number of a bank's question, without an answer in it",
    "portal:licence-request-response": "signed and bound to the question",
    "portal:desk-award-run": "a run over the whole city; the sample in it is scoped by place",
    "portal:desk-policy-act": "a draft of a policy",
    "portal:desk-supervision-plan": "a plan of one's own office; the list in it is public",
    "portal:mine-start": "a matter; the shop is chosen among one's own",
    "portal:mine-bundle-start": "a bundle of matters; the shop is chosen among one's own",
}
# What a POST is sent: enough to get as far as the row.
FORMS = {
    "portal:mine-draft": {**FORM, "do": "submit"},
    "portal:mine-add-file": {"document": "layout"},
    "portal:mine-remove-file": {},
    "portal:mine-withdraw": {},
    "portal:mine-again": {},
    "portal:mine-rate": {"grade": "4", "code": "fresh"},
    "portal:mine-application-say": {"do": "submit"},
    "portal:mine-award-say": {"do": "decline"},
    "portal:licence-take-back": {},
    "portal:desk-act": {"do": "accept"},
    "portal:desk-rectification-act": {"do": "call-back", "words": "已经电话回访。"},
    "portal:mine-bundle-draft": {"use_area_m2": "81", "do": "save"},
    "portal:mine-bundle-add-file": {"document": "layout"},
    "portal:mine-bundle-remove-file": {},
    "portal:mine-bundle-withdraw": {},
    "portal:mine-bundle-redo": {"part": "entry.food_permit"},
    "portal:mine-pools-say": {"do": "apply"},
    "portal:appointment-act": {"do": "cancel"},
    "portal:rate-visit": {"do": "rate", "grade": "4", "code": "fresh"},
    "portal:window-visit-act": {"do": "keep"},
    "portal:window-ticket": {},
    "portal:window-claim": {},
    "portal:window-hand-over": {"reason": "换班", "to": "colleague"},
    "portal:window-draft": {**FORM, "do": "save"},
    "portal:window-add-file": {"document": "layout"},
    "portal:window-offer": {"do": "decline", "reason": "午休"},
    "portal:desk-hand-over": {"reason": "换班", "to": "colleague"},
    "portal:mine-appeal-act": {"do": "withdraw"},
    "portal:desk-appeal-act": {
        "do": "hand-over",
        "reason": "换班",
        "words": "换班",
        "to": "colleague",
    },
    "portal:desk-ticket": {"do": "open", "node": "rule:x", "subject": "power"},
    "portal:desk-jury-judge": {"do": "declare", "conflict": "no"},
}
NAMES = {
    "appeal_id",
    "appointment_id",
    "award_id",
    "breach_id",
    "case_id",
    "file_id",
    "jury_id",
    "list_id",
    "offer_id",
    "rectification_id",
    "request_id",
    "run_id",
    "trader_code",
    "visit_id",
}
NOBODY = "92330302MA2ABC001M"


def rows_in_question() -> list[PolicyRow]:
    return [row for row in selectors.policy() if row.row is RowScope.QUERY]


def names_in(route: str) -> set[str]:
    pattern = dict(selectors.routes())[route].pattern
    return set(re.findall(r"<\w+:(\w+)>", str(pattern)))


WITH_ID = sorted(
    {r.route for r in rows_in_question() if names_in(r.route) and r.route not in NOT_A_PERSON_S}
)
LISTS = sorted(
    {r.route for r in rows_in_question() if not names_in(r.route) and "GET" in r.methods}
)


@pytest.fixture
def world(rows, monkeypatch, settings, tmp_path):
    """A shop in 鹿城 and one in 乐清, with the same things each, and people of both."""
    settings.MEDIA_ROOT = tmp_path
    settings.ACCESS_DIVISION_OF = "tests.access.test_query_rows.place_of"
    monkeypatch.setattr(registry, "get_trader", trader)
    monkeypatch.setattr(registry, "list_names", lambda codes: {code: f"店{code}" for code in codes})
    # What an award page shows stands on its rule; here it is asked who gets that far.
    monkeypatch.setattr(award_reads, "_award", lambda award: award)
    monkeypatch.setattr(award_reads, "consents_needed", lambda award: {})
    far_superior = officer("far", Role.SUPERVISOR, "amr", YUEQING)
    near = things(SHOP, rows.owner, rows.window, rows.superior)
    far = things(FAR, rows.stranger, rows.elsewhere, far_superior)
    missing = dict.fromkeys(NAMES, uuid.UUID(int=1)) | {"trader_code": NOBODY}
    people = {
        "owner": rows.owner,
        "stranger": rows.stranger,
        "window": rows.window,
        "superior": rows.superior,
        "elsewhere": rows.elsewhere,
        "far superior": far_superior,
    }
    return SimpleNamespace(
        people=people,
        near=near,
        far=far,
        missing=missing,
        browsers={name: browser(actor) for name, actor in people.items()},
        colleague=rows.colleague.account_id,
    )


def trader(code: str, as_of: object = None) -> SimpleNamespace:
    if code not in PLACES:
        raise UnknownTrader(TODAY)
    place = PLACES[code]
    return SimpleNamespace(name=f"店{code}", town_code=place, county_code=place[:6])


def place_of(code: str) -> str | None:
    return PLACES.get(code)


def things(code: str, owner: Actor, clerk: Actor, chief: Actor) -> dict[str, object]:
    """What a shop has, by the name that addresses give its id; where an address means another
    thing by that name, by the route and the name."""
    case = cases.open_draft(CATERING, code, place=PLACES[code], by=owner, at=AT)
    cases.save_draft(case, FORM, by=owner)
    cases.attach(case, "layout", PNG, by=owner, at=AT)
    cases.submit(case, by=owner, at=AT)
    request = PresentationRequest.objects.create(
        asked_by_id=owner.account_id, agency="bank", scene="s", wanted=[], purpose="p",
        nonce=code, asked_at=AT, answer_by=AT, until=TODAY, trader_code=code, answered_at=AT,
        shown={},
    )  # fmt: skip
    ContestedValue.objects.create(
        trader_code=code, fact="x", label="x", department="amr", division=PLACES[code][:6],
        held="1", claimed="2", case_id=case, at=AT, by_id=owner.account_id,
    )  # fmt: skip
    jury = Jury.objects.create(
        case_id=case, kind="famous", sheet=[], opened_at=AT, opened_by_id=chief.account_id
    )
    Juror.objects.create(jury=jury, account_id=clerk.account_id)
    return {
        "case_id": case,
        "file_id": Attachment.objects.get(case=case).pk,
        "rectification_id": Rectification.objects.get(number=code).pk,
        "breach_id": Breach.objects.get(trader_code=code).pk,
        "award_id": Award.objects.get(trader_code=code).pk,
        "request_id": request.pk,
        "trader_code": code,
        "appeal_id": Appeal.objects.get(trader_code=code).pk,
        "appointment_id": Appointment.objects.get(trader_code=code).pk,
        "jury_id": case,
        "list_id": Refresh.objects.get(county_code=PLACES[code][:6]).pk,
        "portal:mine-objection-slip case_id": Objection.objects.get(trader_code=code).case,
        **bundles(code, owner),
        **visits(code, clerk, chief),
    }


def bundles(code: str, owner: Actor) -> dict[str, object]:
    """A draft with a file, and one that was handed in for the desk."""
    runs = []
    for _ in range(2):
        run = cases.open_bundle("entry.catering", code, place=PLACES[code], by=owner, at=AT)
        cases.save_bundle(run, BUNDLE_FORM, by=owner)
        cases.attach_to_bundle(run, "layout", PNG, by=owner, at=AT)
        runs.append(run)
    cases.submit_bundle(runs[1], by=owner, at=AT)
    return {
        "run_id": runs[0],
        "portal:desk-bundle run_id": runs[1],
        "portal:mine-bundle-remove-file file_id": BundleFile.objects.get(run=runs[0]).pk,
    }


def visits(code: str, clerk: Actor, chief: Actor) -> dict[str, object]:
    """One that was answered, and one in front of the officer, offered to her superior."""
    office = f"amr-{PLACES[code][:6]}"
    made = []
    for _ in range(2):
        window.walk_in(office, question=f"问{code}", matters=[CATERING], by=clerk, at=AT)
        made.append(window.call_next(office, by=clerk, at=AT))
        window.identify(made[-1], code, "document", by=clerk, at=AT)
        if len(made) == 1:
            window.answer(made[0], "好", by=clerk, at=AT)
    window.keep(made[1], by=clerk, at=AT)
    window.walk_in(office, question=f"问{code}", by=clerk, at=AT)
    newcomer = window.call_next(office, by=clerk, at=AT)
    window.open_shop_for(newcomer, "示例新店主", by=clerk, at=AT)
    case = window.open_for(made[1], CATERING, place=PLACES[code], by=clerk, at=AT)
    offer = window.offer_visit(made[1], id_of(chief), reason=f"问{code}", by=clerk, at=AT)
    return {
        "visit_id": made[1],
        "offer_id": offer,
        "portal:rate-visit visit_id": made[0],
        "portal:window-ticket visit_id": made[0],
        "portal:window-claim visit_id": newcomer,
        "portal:window-draft case_id": case,
        "portal:window-add-file case_id": case,
    }


def browser(actor: Actor) -> Client:
    client = Client(raise_request_exception=False)
    sign_in(client, Account.objects.get(pk=actor.account_id))
    return client


def within_reach(name: str, route: str) -> str:
    """Whose things a person reaches on a route, worked out from who they are alone."""
    if route.startswith(("portal:desk", "portal:window")):
        return {
            "window": "near", "superior": "near", "elsewhere": "far", "far superior": "far",
        }.get(name, "")  # fmt: skip
    return {"owner": "near", "stranger": "far"}.get(name, "")


def at_the_desk(name: str) -> str:
    return within_reach(name, "portal:desk")


def ask(world, name: str, route: str, method: str, ids: dict) -> tuple[int, str]:
    """Status and words of an answer; what it changed is taken back."""
    client = world.browsers[name]
    address = reverse(route, kwargs={each: id_for(route, each, ids) for each in names_in(route)})
    given = {"once": uuid.uuid4(), **FORMS[route]} if method == "POST" else {}
    if given.get("code") == "fresh":
        given["code"] = fresh_code()
    if given.get("to") == "colleague":
        given["to"] = world.colleague
    if route.endswith("add-file"):
        given["file"] = io.BytesIO(PNG)
    before = transaction.savepoint()
    try:
        answer = client.generic("GET", address) if method == "GET" else client.post(address, given)
        body = b"".join(answer) if answer.streaming else answer.content
        words = body.decode("utf-8", "replace") + str(answer.headers)
        return answer.status_code, words.replace(address, "")
    finally:
        transaction.savepoint_rollback(before)


def id_for(route: str, name: str, ids: dict) -> object:
    return ids.get(f"{route} {name}", ids[name])


def wrong_cells(world, route: str) -> list[tuple]:
    wrong = []
    for row in rows_in_question():
        if row.route != route:
            continue
        for method in sorted(row.methods):
            for name, actor in world.people.items():
                if selectors.admits(row, actor):
                    wrong += wrong_answers(world, route, method, name)
    return wrong


def wrong_answers(world, route: str, method: str, name: str) -> list[tuple]:
    reaches = within_reach(name, route)
    wanted, _ = ask(world, name, route, method, world.missing)
    # 409: a step asked of something that is not there.
    wrong = [] if wanted in (403, 404, 409) else [(name, method, "missing", wanted)]
    kinds = {"near": world.near, "far": world.far}
    wrong += wrong_nested(world, route, method, name)
    for kind, ids in kinds.items():
        if kind in (reaches, at_the_desk(name)):
            continue  # what an office has on its desk is within its reach on any page
        status, words = ask(world, name, route, method, ids)
        canary = [mark for mark in marks(world, kind, reaches) if mark in words]
        if status != wanted or canary:
            wrong.append((name, method, kind, status, wanted, canary))
    return wrong


# In an address with two ids: the one that belongs to the other.
NESTED = ("file_id", "case_id")


def wrong_nested(world, route: str, method: str, name: str) -> list[tuple]:
    """A file of another's case named in one's own case is answered like no file, and so on."""
    inner = next((each for each in NESTED if each in names_in(route)), "")
    if not inner or len(names_in(route)) < 2:
        return []
    wrong = []
    for mine, other in ((world.near, world.far), (world.far, world.near)):
        answers = [
            ask(world, name, route, method, {**mine, f"{route} {inner}": found})[0]
            for found in (world.missing[inner], id_for(route, inner, other))
        ]
        if answers[0] != answers[1] or answers[1] == 200:
            wrong.append((name, method, "nested", *answers))
    return wrong


def marks(world, kind: str, reaches: str) -> list[str]:
    """What must not be read: codes and numbers of the shop out of reach."""
    out = [k for k in ("near", "far") if k != reaches and k in kind]
    codes = {"near": SHOP, "far": FAR}
    return [codes[k] for k in out]


def test_every_route_with_an_id_is_tried():
    unknown = {route: names_in(route) - NAMES for route in WITH_ID if names_in(route) - NAMES}
    assert unknown == {}, "make one in things(), or say in NOT_A_PERSON_S why there is none"
    posts = {r.route for r in rows_in_question() if "POST" in r.methods} & set(WITH_ID)
    assert posts - set(FORMS) == set(), "say in FORMS what it is sent"
    assert set(NOT_A_PERSON_S) <= {r.route for r in rows_in_question()}


def test_what_is_out_of_reach_is_answered_like_what_is_not_there(world):
    assert {route: found for route in WITH_ID if (found := wrong_cells(world, route))} == {}


def test_the_ids_are_real_whoever_reaches_them_gets_another_answer(world):
    """Without this the matrix would be green on a page that refuses everybody."""
    dead = []
    for route in WITH_ID:
        reached = False
        for name in world.people:
            kind = within_reach(name, route)
            row = next(r for r in rows_in_question() if r.route == route)
            if reached or not kind or not selectors.admits(row, world.people[name]):
                continue
            method = min(row.methods)
            ids = world.near if kind == "near" else world.far
            missing, _ = ask(world, name, route, method, world.missing)
            reached |= ask(world, name, route, method, ids)[0] != missing
        if not reached:
            dead.append(route)
    # An application is a case of its own matter, which tests/policies makes.
    assert set(dead) <= {"portal:mine-application", "portal:mine-application-say"}


def test_no_list_shows_what_is_out_of_reach(world):
    shown = []
    for route in LISTS:
        row = next(r for r in rows_in_question() if r.route == route)
        for name, actor in world.people.items():
            if not selectors.admits(row, actor):
                continue
            answer = world.browsers[name].get(reverse(route))
            words = answer.content.decode()
            near, far = SHOP in words, FAR in words
            reaches = within_reach(name, route)
            if (near and reaches != "near") or (far and reaches != "far"):
                shown.append((route, name))
    assert shown == []


SCOPES = {
    "cases": (
        lambda actor: Case.objects.all(),
        [(case_reads, "visible_cases"), (case_rights, "visible_cases")],
        "portal:desk-case",
    ),
    "own cases": (lambda actor, view: True, [(own_pages, "_is_hers")], "portal:mine-case"),
    "bundles": (
        lambda actor: BundleRun.objects.all(),
        [(bundle_reads, "visible_bundles"), (bundle_services, "visible_bundles")],
        "portal:desk-bundle",
    ),
    "visits": (
        lambda actor: Visit.objects.all(),
        [
            (window_reads, "visible_visits"),
            (receiving, "visible_visits"),
            (handing_over, "visible_visits"),
        ],
        "portal:window-visit",
    ),
    "lists of pools": (
        lambda actor: Refresh.objects.all(),
        [(list_reads, "visible_refreshes")],
        "portal:desk-pool-list",
    ),
    "juries": (
        lambda actor: Case.objects.all(),
        [(case_reads, "visible_cases")],
        "portal:desk-jury",
    ),
    "rectifications": (
        lambda actor: Rectification.objects.select_related("rating"),
        [
            (rating_reads, "visible_rectifications"),
            (rating_services, "visible_rectifications"),
        ],
        "portal:desk-rectification",
    ),
    "awards": (
        lambda actor: Award.objects.all(),
        [(award_reads, "visible_awards"), (award_moves, "visible_awards")],
        "portal:mine-award-slip",
    ),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_control_a_scope_taken_out_of_its_query_makes_the_matrix_red(world, monkeypatch, scope):
    everything, places, route = SCOPES[scope]
    for module, name in places:
        monkeypatch.setattr(module, name, everything)
    # On PostgreSQL the second wall would hold them back all the same.
    monkeypatch.setattr("getihu.access.middleware.walled", nullcontext)
    if scope == "own cases":
        monkeypatch.setattr(case_reads, "visible_cases", lambda actor: Case.objects.all())
    assert wrong_cells(world, route)


def test_control_a_list_without_its_scope_shows_what_is_out_of_reach(world, monkeypatch):
    monkeypatch.setattr(
        rating_reads,
        "visible_rectifications",
        lambda actor: Rectification.objects.select_related("rating"),
    )
    monkeypatch.setattr("getihu.access.middleware.walled", nullcontext)
    assert FAR in world.browsers["window"].get("/desk/ratings/").content.decode()
