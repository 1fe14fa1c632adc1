"""Who sees and does what: strangers, other districts, other offices, nobody signed in."""

import csv
import io

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from getihu.audit.models import Event
from getihu.cases.models import Attachment, Case
from getihu.entry.models import HandingOver
from getihu.portal.views import casework, mine
from getihu.portal.views import desk as office
from tests.cases.cast import SHOP
from tests.desk.conftest import CATERING, act, begin, hand_in, key, words

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"a plan of the kitchen"


def upload(client: Client, draft: str, content: bytes = PNG, name: str = "plan.png"):
    file = io.BytesIO(content)
    file.name = name
    address = draft.replace("draft/", "files/")
    return client.post(address, {"document": "layout", "file": file})


@pytest.fixture
def case(desk) -> str:
    draft = begin(desk.owner)
    assert upload(desk.owner, draft).status_code == 302
    return hand_in(desk.owner, draft)


def test_nobody_signed_in_is_sent_to_sign_in_and_back(client, case):
    for path in ("/mine/", case, "/desk/", case.replace("mine", "desk")):
        sent = client.get(path)
        assert sent.status_code == 302
        assert sent.url.startswith("/sign-in?next=")


@pytest.mark.parametrize("who", ["stranger", "elsewhere", "window", "fire"])
def test_a_traders_pages_are_hers_alone(desk, case, who):
    client = getattr(desk, who)
    file = Attachment.objects.get().pk
    for path in (case, f"{case}withdraw/", f"{case}draft/", f"{case}files/{file}/"):
        assert client.get(path).status_code == 404
    for path in (f"{case}withdraw/", f"{case}again/"):
        assert client.post(path, {"once": key()}).status_code == 404
    assert Case.objects.get().state == "submitted"


def test_a_stranger_cannot_start_for_a_shop_that_is_not_hers(desk):
    sent = desk.stranger.post(f"/mine/matters/{CATERING}/", {"trader": SHOP, "once": key()})
    assert sent.status_code == 403
    assert "经营者或受托人" in words(sent)
    assert not Case.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("elsewhere", 404), ("owner", 403), ("stranger", 403)])
def test_a_desk_reaches_its_own_district_alone(desk, case, who, status):
    client, there = getattr(desk, who), case.replace("mine", "desk")
    assert client.get(there).status_code == status
    assert act(client, case, "accept").status_code == status
    assert Case.objects.get().state == "submitted"


def test_another_office_sees_the_file_but_decides_only_its_part(desk, case):
    assert desk.fire.get(case.replace("mine", "desk")).status_code == 200
    assert act(desk.fire, case, "accept").status_code == 403
    act(desk.window, case, "accept")
    assert act(desk.fire, case, "pass", stage="food").status_code == 403
    assert act(desk.fire, case, "pass", stage="fire").status_code == 302


def test_a_draft_is_not_the_offices_to_see(desk):
    draft = begin(desk.owner)
    there = draft.replace("mine", "desk").replace("draft/", "")
    assert desk.window.get(there).status_code == 404


def test_only_a_superior_extends_and_says_why(desk, case):
    act(desk.window, case, "accept")
    given = {"stage": "food", "reason": "要再看一次现场"}
    assert "延长期限" not in words(desk.colleague.get(case.replace("mine", "desk")))
    assert act(desk.colleague, case, "extend", **given).status_code == 403
    assert act(desk.superior, case, "extend", stage="food", reason=" ").status_code == 422
    assert act(desk.superior, case, "extend", **given).status_code == 302
    assert "/30个工作日" in words(desk.owner.get(case))


def test_a_pause_stops_the_count_and_says_what_for(desk, case):
    act(desk.window, case, "accept")
    given = {"stage": "food", "kind": "testing", "reason": "送检"}
    assert act(desk.colleague, case, "pause", **(given | {"kind": "lunch"})).status_code == 422
    assert act(desk.colleague, case, "pause", **given).status_code == 302
    assert "检验、检测，不计入期限" in words(desk.owner.get(case))
    assert act(desk.colleague, case, "resume", stage="food").status_code == 302
    assert "不计入期限" not in words(desk.owner.get(case))


def test_hand_over_gives_the_whole_file_and_is_seen(desk, cast, case):
    there = case.replace("mine", "desk")
    page, given = f"{there}hand-over/", {"to": cast.colleague.account_id, "reason": "休假"}
    assert "设备布局和操作流程图" in words(desk.window.get(page))
    assert desk.window.post(page, given | {"to": "x", "once": key()}).status_code == 422
    assert desk.window.post(page, given | {"once": key()}).status_code == 302
    assert "等colleague接手" in words(desk.window.get(there))
    assert "由您承办" not in words(desk.colleague.get(there))  # offered is not taken
    offer = f"/desk/window/offers/{HandingOver.objects.get().pk}/"
    assert "接手" in words(desk.colleague.get("/desk/window/"))
    assert desk.window.post(offer, {"do": "take", "once": key()}).status_code == 409
    assert desk.colleague.post(offer, {"do": "take", "once": key()}).status_code == 302
    seen = words(desk.colleague.get(there))
    assert "由您承办" in seen
    assert "window移交给colleague" in seen
    assert "设备布局和操作流程图" in seen


def test_a_file_is_given_out_as_a_download_that_nothing_opens(desk, case):
    file = Attachment.objects.get().pk
    for client, path in ((desk.owner, case), (desk.window, case.replace("mine", "desk"))):
        given = client.get(f"{path}files/{file}/")
        assert given.content == PNG
        assert given["Content-Type"] == "application/octet-stream"
        assert given["Content-Disposition"].startswith("attachment;")
        assert given["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in given["Content-Security-Policy"]
        assert given["Cache-Control"] == "no-store"


def test_a_page_that_calls_itself_a_picture_is_refused_with_what_next(desk):
    sent = upload(desk.owner, begin(desk.owner), b"<script>alert(1)</script>")
    assert sent.status_code == 422
    assert "只收PDF、PNG、JPEG" in words(sent)
    assert "怎么办" in words(sent)


def test_the_table_has_the_rows_of_the_list(desk, case):
    text = desk.window.get("/desk/cases.csv?queue=new").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][0] == "编号"
    assert [row[0] for row in rows[1:]] == [Case.objects.get().number]
    empty = desk.window.get("/desk/cases.csv?queue=late").content.decode("utf-8-sig")
    assert len(empty.splitlines()) == 1


def test_the_inbox_costs_the_same_for_one_case_and_for_many(
    desk, case, django_assert_max_num_queries
):
    for _ in range(8):
        hand_in(desk.owner, begin(desk.owner))
    with django_assert_max_num_queries(16):
        assert words(desk.window.get("/desk/")).count("还剩") == 9


def test_pages_that_only_show_refuse_to_be_written_to(desk, case):
    assert desk.owner.post("/mine/").status_code == 405
    assert desk.owner.post(case).status_code == 405
    assert desk.window.post("/desk/").status_code == 405
    assert desk.window.get(f"{case.replace('mine', 'desk')}act/").status_code == 405


def test_a_draft_may_be_deleted_and_is_gone_from_the_list(desk):
    draft = begin(desk.owner)
    sent = desk.owner.post(draft.replace("draft/", "withdraw/"), {"once": key()}, follow=True)
    assert "草稿" not in words(sent).replace("存成草稿", "")
    assert Case.objects.get().state == "discarded"


def test_control_without_the_guard_an_officer_reads_a_traders_own_page(desk, case, monkeypatch):
    assert desk.window.get(case).status_code == 404
    monkeypatch.setattr(mine, "_is_hers", lambda actor, view: True)
    assert desk.window.get(case).status_code == 200


def test_control_without_the_key_a_form_sent_twice_acts_twice(desk, monkeypatch):
    form = {"trader": SHOP, "once": key()}
    monkeypatch.setattr(casework.services, "once", lambda key, asked, do, *, by, at: do())
    for _ in range(2):
        desk.owner.post(f"/mine/matters/{CATERING}/", form)
    assert Case.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_officer_s_look_into_a_case_is_an_event_its_trader_reads(desk, case):
    """个人信息保护法 第五十一条: who reads a case leaves a trace."""
    page = case.replace("mine", "desk")
    assert "还没有别人看过" in words(desk.owner.get("/mine/who-looked"))
    assert desk.window.get(page).status_code == 200
    file = Attachment.objects.get().pk
    assert desk.window.get(f"{page}files/{file}/").status_code == 200
    assert desk.elsewhere.get(page).status_code == 404  # and so no look
    assert Event.objects.filter(kind="personal.looked_at").count() == 2
    told = words(desk.owner.get("/mine/who-looked"))
    assert "本机关本辖区的一件办件" in told and "案卷里的文件" in told
    assert "谁看过我的店" in words(desk.owner.get("/mine/me/"))


@pytest.mark.django_db(transaction=True)
def test_control_a_page_that_does_not_say_whose_data_it_shows_is_not_answered(
    desk, case, monkeypatch
):
    read = office._case

    def silent(request, case_id):
        view = read(request, case_id)
        del request.looked_at
        return view

    monkeypatch.setattr(office, "_case", silent)
    with pytest.raises(ImproperlyConfigured, match="没有说是哪一户"):
        desk.window.get(case.replace("mine", "desk"))
