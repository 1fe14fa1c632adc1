"""一类事 as pages: from the four questions and the first form to the course each office sees."""

import pytest

from getihu.cases import services
from getihu.cases.models import BundlePart, BundleRun
from tests.cases.cast import AT, SHOP, TOWN, days
from tests.desk.conftest import key, words

pytestmark = pytest.mark.django_db

ASKED = {
    "has_licence": "yes",
    "use_area_m2": "80",
    "is_public_gathering": "yes",
    "drains_to_sewer": "no",
    "sells_tobacco": "no",
    "hires_people": "no",
}
MORE = {"food_kinds": "热食类制售", "fire_promise": "yes"}
LINE = {"county": "330302", "supply_voltage": "medium", "line_m": "350"}
LINE |= {"digs_road": "yes", "takes_green": "no"}


@pytest.fixture
def run(cast, desk):
    """A draft begun through the page."""
    answer = desk.owner.post("/mine/bundles/entry.catering/", {"once": key(), "trader": SHOP})
    assert answer.url.endswith("/draft/")
    return BundleRun.objects.get()


def test_the_first_page_says_what_it_takes_and_begins_once(desk):
    page = words(desk.owner.get("/mine/bundles/entry.catering/"))
    assert "里面有这些，一次交" in page and "食品经营许可" in page and "每样只交一次" in page
    once = key()
    sent = {"once": once, "trader": SHOP}
    answers = [desk.owner.post("/mine/bundles/entry.catering/", sent) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert BundleRun.objects.count() == 1


def test_only_what_the_answers_need_is_asked_and_everything_goes_at_once(desk, run):
    where = f"/mine/runs/{run.pk}/draft/"
    page = words(desk.owner.get(where))
    assert "还没定" in page
    saved = desk.owner.post(where, ASKED | {"do": "save", "once": key()})
    page = words(desk.owner.get(saved.url))
    assert "已经存好" in page and "经营项目" in page and "隔油池" not in page
    lacking = desk.owner.post(where, ASKED | {"do": "submit", "once": key()})
    assert lacking.status_code == 422 and "还没有填经营项目" in words(lacking)
    done = desk.owner.post(where, ASKED | MORE | {"do": "submit", "once": key()})
    assert done.url == f"/mine/runs/{run.pk}/"
    page = words(desk.owner.get(done.url))
    assert "办理中" in page and "0/2项办好" in page and "等待：鹿城区市场监督管理局" in page
    assert "不用办：" in page and "污水排入排水管网许可" in page
    assert "一类事" in words(desk.owner.get("/mine/"))


def test_a_file_is_brought_once(desk, run):
    desk.owner.post(f"/mine/runs/{run.pk}/draft/", ASKED | {"do": "save", "once": key()})
    from django.core.files.uploadedfile import SimpleUploadedFile

    pdf = SimpleUploadedFile("x.pdf", b"%PDF-1.4\n%%EOF\n")
    sent = {"document": "layout", "file": pdf}
    assert desk.owner.post(f"/mine/runs/{run.pk}/files/", sent).status_code == 302
    page = words(desk.owner.get(f"/mine/runs/{run.pk}/draft/"))
    assert "去掉设备布局和操作流程图" in page


@pytest.fixture
def handed_in(cast, desk):
    run = services.open_bundle("entry.catering", SHOP, place=TOWN, by=cast.owner, at=AT)
    form = {"use_area_m2": "80", "is_public_gathering": True, "drains_to_sewer": False}
    form |= {"sells_tobacco": False, "hires_people": True, "food_kinds": "热食", "hired_count": 1}
    form |= {"fire_promise": True, "has_licence": True}
    services.save_bundle(run, form, by=cast.owner)
    services.submit_bundle(run, by=cast.owner, at=AT)
    return BundleRun.objects.get()


def case_of(run, part):
    return BundlePart.objects.get(run=run, part_id=part).case_id


def test_each_office_sees_the_course_and_its_own_part(cast, desk, handed_in):
    page = words(desk.fire.get(f"/desk/bundles/{handed_in.pk}/"))
    assert "全过程" in page and "食品经营许可" in page
    assert "打开本机关的一项：营业前消防安全检查" in page
    assert "打开本机关的一项：食品经营许可" not in page
    assert "还没有安排承办人" in page  # nobody of the social insurance office
    assert "本机关的" in words(desk.fire.get("/desk/bundles/"))
    assert desk.elsewhere.get(f"/desk/bundles/{handed_in.pk}/").status_code == 404
    assert desk.stranger.get(f"/mine/runs/{handed_in.pk}/").status_code == 404
    page = words(desk.window.get(f"/desk/cases/{case_of(handed_in, 'food')}/"))
    assert "这是一类事里的一项，看全过程" in page


def test_one_part_is_taken_back_after_its_meaning_is_told(cast, desk, handed_in):
    where = f"/mine/runs/{handed_in.pk}/withdraw/"
    page = words(desk.owner.get(where, {"part": "fire"}))
    assert "别的部门接着办" in page and "不能开门营业" in page
    desk.owner.post(where, {"part": "fire", "once": key()})
    page = words(desk.owner.get(f"/mine/runs/{handed_in.pk}/"))
    assert "已撤回" in page and "重办这一项" in page
    again = desk.owner.post(f"/mine/runs/{handed_in.pk}/redo/", {"part": "fire", "once": key()})
    assert again.url == f"/mine/cases/{case_of(handed_in, 'fire')}/draft/"


def test_a_second_list_is_refused_with_the_reason(cast, desk, handed_in):
    food, fire = case_of(handed_in, "food"), case_of(handed_in, "fire")
    services.request_materials(food, ["平面图"], by=cast.window, at=days(1))
    sent = {"do": "ask", "others": "房产证", "once": key()}
    refused = desk.fire.post(f"/desk/cases/{fire}/act/", sent)
    assert refused.status_code == 403 and "房产证不在这件一类事的告知清单里" in words(refused)


def test_an_office_reads_of_the_applicant_and_she_of_herself(cast, desk, handed_in):
    food = case_of(handed_in, "food")
    services.request_materials(food, ["平面图"], by=cast.window, at=days(1))
    for path in ("/desk/bundles/", f"/desk/bundles/{handed_in.pk}/", "/desk/"):
        page = words(desk.window.get(path))
        assert "等申请人补材料" in page, path
        assert "等您补" not in page and "您补齐" not in page, path
    assert "您补齐材料" in words(desk.owner.get(f"/mine/runs/{handed_in.pk}/"))


def test_nobody_but_the_owner_is_offered_a_conversion(cast, desk):
    page = words(desk.stranger.get("/mine/bundles/entry.become_company/"))
    assert "谁都不能替您申请" in page
    sent = {"once": key(), "trader": SHOP}
    refused = desk.stranger.post("/mine/bundles/entry.become_company/", sent)
    assert refused.status_code == 403 and "只能由经营者本人办理" in words(refused)


def test_four_questions_say_which_way_how_long_and_why(client, db):
    page = words(client.get("/connect/", LINE))
    assert "并联审批，7天内" in page and "超过200米" in page and "待核" in page
    page = words(client.get("/connect/", LINE | {"line_m": "200", "digs_road": "no"}))
    assert "备案" in page and "没有妨碍" in page
    small = LINE | {"supply_voltage": "low", "line_m": "0", "digs_road": "no", "capacity_kw": "160"}
    assert "不用出钱，5个工作日" in words(client.get("/connect/", small))


def test_a_road_under_its_ban_is_told_before_anything_is_handed_in(client, db):
    young = LINE | {"road_kind": "new", "road_done_on": "2099-01-01"}
    page = words(client.get("/connect/", young))
    assert "现在不能直接挖" in page and "第十九条" in page
    assert "还不知道" in words(client.get("/connect/", LINE | {"road_kind": "new"}))


def test_an_answer_that_is_none_is_told_beside_its_question(client, db):
    answer = client.get("/connect/", LINE | {"line_m": "很长", "digs_road": ""})
    assert answer.status_code == 422
    assert "请写数字" in words(answer) and "请选要不要挖路" in words(answer)


def test_the_joint_request_begins_with_what_was_answered(cast, desk):
    sent = {"supply_voltage": "medium", "line_m": "350", "digs_road": "yes"}
    page = desk.owner.get("/mine/bundles/entry.utilities/", sent).content.decode()
    assert 'name="q.line_m" value="350"' in page
    brought = {f"q.{name}": value for name, value in sent.items()}
    answer = desk.owner.post(
        "/mine/bundles/entry.utilities/", {"once": key(), "trader": SHOP, **brought}
    )
    kept = BundleRun.objects.get().form
    assert (kept["line_m"], kept["digs_road"]) == ("350", True)
    assert "电力外线工程并联审批" in words(desk.owner.get(answer.url))


def test_a_contested_value_is_answered_by_its_department(cast, desk, monkeypatch):
    from datetime import date
    from decimal import Decimal

    from getihu.cases.services import contesting
    from getihu.dataplane.contracts import FactState, FactValue

    fact = FactValue("premises_m2", Decimal("45"), FactState.RECORDED, date(2025, 3, 1), None, None)
    monkeypatch.setattr(contesting, "held_facts", lambda code: {"premises_m2": fact})
    run = services.open_bundle("entry.catering", SHOP, place=TOWN, by=cast.owner, at=AT)
    form = {"has_licence": True, "use_area_m2": "80", "is_public_gathering": False}
    form |= {"drains_to_sewer": False, "sells_tobacco": False, "hires_people": False}
    services.save_bundle(run, form | {"food_kinds": "热食"}, by=cast.owner)
    services.submit_bundle(run, by=cast.owner, at=AT)
    page = words(desk.owner.get(f"/mine/runs/{run}/"))
    assert "申请人说：80平方米" in page and "45平方米" in page and "2025年3月1日" in page
    page = desk.window.get("/desk/contested/").content.decode()
    number = page.split('name="number" value="')[1].split('"')[0]
    sent = {"number": number, "answer": "corrected", "reason": "上门量过", "once": key()}
    assert desk.window.post("/desk/contested/", sent).status_code == 302
    assert "没有等本机关核实的" in words(desk.window.get("/desk/contested/"))
    assert "上门量过" in words(desk.owner.get(f"/mine/runs/{run}/"))
