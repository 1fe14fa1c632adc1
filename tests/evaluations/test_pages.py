"""The pages of ratings: rate on a phone, work a bad rating at the desk, publish the numbers."""

import re
import uuid

import pytest
from django.test import Client

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.audit.models import Event
from getihu.cases import services as cases
from getihu.cases.models import Case, HandledPost
from getihu.evaluations import services
from getihu.evaluations.models import CaseRated, FollowUp, Rating, RatingContact, Rectification
from getihu.portal.views import casework, mine, ratings
from getihu.portal.views import desk as desk_views
from tests.cases.cast import days
from tests.desk.conftest import begin, cast, desk, hand_in, key, register, signed_in, words  # noqa: F401

pytestmark = pytest.mark.django_db
FOLLOW = "/ratings/follow/"


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch):
    for module in (casework, mine, desk_views, ratings):
        monkeypatch.setattr(module, "now", lambda: days(3))


@pytest.fixture
def case(desk, cast):  # noqa: F811
    """The address of a case that was not accepted."""
    address = hand_in(desk.owner, begin(desk.owner))
    given = {"reason": "不属于受理范围", "article": "行政许可法 第三十二条"}
    pk = uuid.UUID(address.strip("/").split("/")[2])
    cases.refuse_to_accept(pk, by=cast.window, at=days(3), **given)
    return address


def code_on(page) -> str:
    return re.search(r'name="code" value="([^"]+)"', page.content.decode())[1]


def give(client: Client, case: str, grade: int, **more):
    form = {"code": code_on(client.get(f"{case}rating/")), "grade": grade, **more}
    return form["code"], client.post(f"{case}rating/", form)


def test_nothing_is_chosen_beforehand_and_nobody_must(desk, case):  # noqa: F811
    page = desk.owner.get(f"{case}rating/").content.decode()
    assert page.count('type="radio"') == 5
    assert "checked" not in page
    assert "不评了" in page
    assert "可以不写" in page


def test_a_trader_rates_and_gets_her_code_once(desk, case):  # noqa: F811
    assert "评一评" in words(desk.owner.get(case))
    code, thanks = give(desk.owner, case, 4, comment="快")
    assert code in thanks.content.decode()
    assert thanks["Cache-Control"] == "no-store"
    assert Rating.objects.get().grade == 4
    again = desk.owner.get(f"{case}rating/")
    assert "评过了" in words(again)
    assert code not in again.content.decode()
    assert "您评过了" in words(desk.owner.get(case))


def test_the_same_form_sent_twice_shows_the_code_again(desk, case):  # noqa: F811
    code = code_on(desk.owner.get(f"{case}rating/"))
    for _ in range(2):
        sent = desk.owner.post(f"{case}rating/", {"code": code, "grade": 2})
        assert code in sent.content.decode()
    assert (Rating.objects.count(), CaseRated.objects.count()) == (1, 1)


def test_a_second_form_is_refused_with_the_way_on(desk, case):  # noqa: F811
    forms = [code_on(desk.owner.get(f"{case}rating/")) for _ in range(2)]
    desk.owner.post(f"{case}rating/", {"code": forms[0], "grade": 5})
    sent = desk.owner.post(f"{case}rating/", {"code": forms[1], "grade": 1})
    assert sent.status_code == 409
    assert "评过了" in words(sent)
    assert Rating.objects.get().grade == 5


def test_no_grade_is_asked_for_and_the_words_stay(desk, case):  # noqa: F811
    code = code_on(desk.owner.get(f"{case}rating/"))
    sent = desk.owner.post(f"{case}rating/", {"code": code, "comment": "窗口没人"})
    assert sent.status_code == 422
    page = sent.content.decode()
    assert "请选一档，或者不评。" in page
    assert "窗口没人" in page
    assert code in page


def test_what_pages_keep_does_not_lead_from_the_account_to_the_grade(desk, case):  # noqa: F811
    """The forms of cases keep a digest of what was asked; with five grades it could be guessed."""
    before = HandledPost.objects.count()
    code, _ = give(desk.owner, case, 1)
    assert HandledPost.objects.count() == before
    assert not any(code in str(dict(desk.owner.session)) for _ in range(1))
    assert not [e for e in Event.objects.all() if code.encode() in bytes(e.record)]


@pytest.mark.parametrize(
    ("who", "status"), [("stranger", 404), ("window", 409), ("elsewhere", 404)]
)
def test_others_cannot_rate(desk, case, who, status):  # noqa: F811
    client = getattr(desk, who)
    assert client.get(f"{case}rating/").status_code == status
    code = code_on(desk.owner.get(f"{case}rating/"))
    assert client.post(f"{case}rating/", {"code": code, "grade": 5}).status_code == status
    assert not Rating.objects.exists()


def test_a_running_case_cannot_be_rated(desk):  # noqa: F811
    address = hand_in(desk.owner, begin(desk.owner))
    assert "评一评" not in words(desk.owner.get(address))
    sent = desk.owner.get(f"{address}rating/")
    assert sent.status_code == 409
    assert "办结以后" in words(sent)


def test_the_loop_over_the_pages(desk, case, client):  # noqa: F811
    """Bad rating → call back → mended → follow-up, the rater without signing in."""
    code, _ = give(desk.owner, case, 2, comment="窗口没人", contact="13800000000")
    services.sweep_ratings(days(3))
    assert "差评整改1件" in words(desk.window.get("/desk/"))
    listed = desk.window.get("/desk/ratings/")
    assert "待回访" in words(listed)
    item = f"/desk/ratings/{Rectification.objects.get().pk}/"
    shown = desk.window.get(item)
    assert "13800000000" in words(shown)
    assert Case.objects.get().number not in shown.content.decode()
    assert "阿华" not in shown.content.decode()
    form = {"do": "call-back", "words": "午休没有留人", "once": key()}
    for _ in range(2):
        assert desk.window.post(f"{item}act/", form).status_code == 302
    form = {"do": "unfounded", "words": "没有", "once": key()}
    assert desk.window.post(f"{item}act/", form).status_code == 422
    form = {"do": "mended", "words": "中午留一个窗口", "once": key()}
    assert desk.colleague.post(f"{item}act/", form).status_code == 302
    own = client.post(FOLLOW, {"code": code.lower()})
    assert "中午留一个窗口" in words(own)
    assert own["Cache-Control"] == "no-store"
    told = client.post(FOLLOW, {"code": code, "do": "follow-up", "grade": 4})
    assert "追评：满意" in words(told)
    again = client.post(FOLLOW, {"code": code, "do": "follow-up", "grade": 5})
    assert again.status_code == 409
    assert FollowUp.objects.get().grade == 4
    assert "追评“满意”" in words(desk.window.get("/desk/ratings/"))


def test_a_wrong_code_says_so_and_says_no_more(client, db):
    for code in ("", "x", "K7QM-2F9D-XP3C-8WTN"):
        sent = client.post(FOLLOW, {"code": code})
        assert sent.status_code == 404
        assert "没有这个评价码" in words(sent)


def test_a_contact_left_with_a_good_grade_is_not_kept_and_that_is_said(desk, case):  # noqa: F811
    _, thanks = give(desk.owner, case, 5, contact="13800000000")
    assert not RatingContact.objects.exists()
    assert "没有保存" in words(thanks)


@pytest.mark.parametrize(
    ("who", "status"), [("fire", 404), ("elsewhere", 404), ("owner", 403), ("stranger", 403)]
)
def test_another_office_and_the_rater_herself_have_no_way_to_the_desk(desk, case, who, status):  # noqa: F811
    give(desk.owner, case, 1)
    services.sweep_ratings(days(3))
    item = f"/desk/ratings/{Rectification.objects.get().pk}/"
    client = getattr(desk, who)
    assert client.get(item).status_code == status
    form = {"do": "call-back", "words": "x", "once": key()}
    assert client.post(f"{item}act/", form).status_code == status
    assert Rectification.objects.get().state == "waiting"


def test_the_public_numbers(client, db):
    assert "还没有可以公布的评价" in words(client.get("/ratings/"))
    for number in range(10):
        Rating.objects.create(
            matter_id="entry.catering_opening", agency="amr", division="330302",
            on="2026-10-05", grade=2 if number == 9 else 3, channel="web", code_digest=str(number),
        )  # fmt: skip
    shown = words(client.get("/ratings/"))
    assert "90.0%" in shown
    assert "“基本满意”不是差评" in shown


def test_the_numbers_over_the_api(client, db):
    for number in range(10):
        Rating.objects.create(
            matter_id="entry.catering_opening", agency="amr", division="330302",
            on="2026-10-05", grade=1 if number == 9 else 5, channel="web", code_digest=str(number),
        )  # fmt: skip
    Rating.objects.create(
        matter_id="entry.operator_change", agency="amr", division="330302", on="2026-10-05",
        grade=1, channel="web", code_digest="few",
    )  # fmt: skip
    few, many = sorted(client.get("/api/ratings").json(), key=lambda row: row["total"] or 0)
    assert few["total"] is None
    assert few["counts"] is None
    assert many["counts"] == {"5": 9, "4": 0, "3": 0, "2": 0, "1": 1}
    assert many["good_share"] == 0.9
    assert many["until"] == "2026-10-31"
    assert set(many) == {
        "matter_id", "matter_title", "agency", "agency_name", "counts", "total", "good_share",
        "until",
    }  # fmt: skip
