"""One matter, one trader, two officers, through the pages alone."""

import pytest

from getihu.cases.models import Case, CaseMove
from tests.cases.cast import SHOP
from tests.desk.conftest import CATERING, FORM, act, begin, hand_in, key, words

pytestmark = pytest.mark.django_db


def test_from_the_first_page_to_the_licence(desk):
    assert "开餐饮店" in words(desk.owner.get("/mine/"))
    about = words(desk.owner.get(f"/mine/matters/{CATERING}/"))
    assert "不用交营业执照" in about
    assert "20个工作日" in about
    case = hand_in(desk.owner, begin(desk.owner))
    assert "等待：鹿城区市场监督管理局第0/5个工作日" in words(desk.owner.get(case))
    assert act(desk.window, case, "accept").status_code == 302
    for client, stage in ((desk.fire, "fire"), (desk.colleague, "food"), (desk.window, "issue")):
        assert act(client, case, "pass", stage=stage).status_code == 302
    done = words(desk.owner.get(case))
    assert "已办结" in done
    assert "食品经营许可证，有效期5年" in done


def test_the_trader_sees_whose_clock_runs(desk):
    case = hand_in(desk.owner, begin(desk.owner))
    act(desk.window, case, "accept")
    act(desk.colleague, case, "pass", stage="food")
    assert "等待：鹿城区消防救援大队第0/10个工作日" in words(desk.owner.get(case))
    assert "等待：鹿城区消防救援大队" in words(desk.owner.get("/mine/"))


def test_nothing_a_department_holds_is_asked(desk):
    draft = desk.owner.get(begin(desk.owner))
    html = draft.content.decode()
    assert 'value="layout"' in html
    assert 'value="licence"' not in html


def test_what_is_missing_is_named_beside_its_box(desk):
    draft = begin(desk.owner)
    sent = desk.owner.post(draft, {"seats": "many", "do": "submit", "once": key()})
    assert sent.status_code == 422
    assert "请写整数" in words(sent)
    sent = desk.owner.post(draft, {"seats": "20", "do": "submit", "once": key()})
    assert sent.status_code == 422
    assert "还没有填使用面积" in words(sent)
    assert Case.objects.get().form["seats"] == 20  # what was filled in is kept
    saved = desk.owner.post(draft, {"seats": "21", "do": "save"}, follow=True)
    assert "草稿已经存好" in words(saved)
    assert 'value="21"' in saved.content.decode()


def test_a_form_sent_twice_acts_once(desk):
    once = key()
    first, second = (
        desk.owner.post(f"/mine/matters/{CATERING}/", {"trader": SHOP, "once": once}).url
        for _ in range(2)
    )
    assert first == second
    form = {**FORM, "do": "submit", "once": key()}
    desk.owner.post(first, form)
    case = Case.objects.get()
    given = {"do": "accept", "once": key()}
    answers = [desk.window.post(f"/desk/cases/{case.pk}/act/", given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert CaseMove.objects.filter(case=case).count() == 2
    again = act(desk.window, f"/desk/cases/{case.pk}/", "accept")
    assert again.status_code == 409  # a new key is a new request, and the state refuses it
    without = desk.window.post(f"/desk/cases/{case.pk}/act/", {"do": "accept"})
    assert without.status_code == 400


def test_told_once_through_the_pages(desk):
    case = hand_in(desk.owner, begin(desk.owner))
    act(desk.window, case, "ask", item=["设备布局和操作流程图"], others="招牌尺寸\n\n")
    seen = words(desk.owner.get(case))
    assert "等您补材料" in seen
    assert "招牌尺寸" in seen
    draft = case + "draft/"
    hand_in(desk.owner, draft)
    refused = act(desk.window, case, "ask", item=["食品安全规章制度清单"])
    assert refused.status_code == 403
    assert "一次告知" in words(refused)
    assert "已经告知过一次" in words(desk.window.get(case.replace("mine", "desk")))


def test_a_refusal_says_what_why_which_clause_what_next(desk):
    case = hand_in(desk.owner, begin(desk.owner))
    reason = {"reason": "操作间没有独立水池", "article": "食品安全法 第三十五条"}
    assert act(desk.window, case, "not-accept", reason="不行").status_code == 409
    act(desk.window, case, "accept")
    act(desk.colleague, case, "fail", stage="food", **reason)
    seen = words(desk.owner.get(case))
    for part in ("不予办理", "没有独立水池", "第三十五条", "怎样就可以", "行政复议", "找谁"):
        assert part in seen


def test_withdraw_asks_first_and_a_new_case_refers_to_the_old(desk):
    case = hand_in(desk.owner, begin(desk.owner))
    asked = words(desk.owner.get(case + "withdraw/"))
    assert "不能再恢复" in asked
    assert Case.objects.get().state == "submitted"
    desk.owner.post(case + "withdraw/", {"once": key()})
    assert Case.objects.get().state == "withdrawn"
    draft = desk.owner.post(case + "again/", {"once": key()}).url
    assert 'value="80"' in desk.owner.get(draft).content.decode()
    assert str(Case.objects.get(state="draft").continues_id) in case
