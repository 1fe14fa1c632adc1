"""The pages of the window: book on a phone, serve at the counter, rate by the slip, read a guide."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.accounts import services as accounts
from getihu.accounts.selectors import actor_of
from getihu.cases import selectors as cases
from getihu.cases.matters import load
from getihu.cases.models import Case
from getihu.entry import selectors
from getihu.entry.models import Appointment, HandingOver, Visit
from getihu.evaluations.models import Rating
from getihu.portal.views import casework, counter, mine, registering, window
from getihu.portal.views import desk as office
from tests.cases.cast import LUCHENG, SHOP, days
from tests.desk.conftest import CATERING, FORM, begin, hand_in, key, words

pytestmark = pytest.mark.django_db
OFFICE = f"amr-{LUCHENG}"
BOOK, MINE, DESK = "/mine/appointments/book/", "/mine/appointments/", "/desk/window/"


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch):
    """2026-11-05, a Thursday, 09:00."""
    for module in (casework, mine, office, window, counter, registering):
        monkeypatch.setattr(module, "now", lambda: days(3))


def send(client: Client, path: str, **given):
    return client.post(path, {"once": key(), **given})


def served(client: Client, **given) -> str:
    """Give a number and call it: the address of the visit."""
    send(client, f"{DESK}act/", do="walk-in", office=OFFICE, **given)
    sent = send(client, f"{DESK}act/", do="next", office=OFFICE)
    assert sent.status_code == 302, words(sent)
    return sent.url


def known(client: Client, **given) -> str:
    visit = served(client, **given)
    sent = send(client, f"{visit}act/", do="identify", who=SHOP, seen="yes")
    assert sent.status_code == 302, words(sent)
    return visit


def primary(page) -> list[str]:
    """The words of the one button or link that is to be done next."""
    found = re.findall(r'<(?:button|a)[^>]*class="(?:button )?go"[^>]*>(.*?)</(?:button|a)>', page)
    return [re.sub(r"<[^>]+>", "", each).split()[0] for each in found]


def test_a_trader_books_changes_and_cancels_on_her_phone(desk):
    page = desk.owner.get(BOOK)
    assert "鹿城区市场监督管理局办事窗口" in words(page)
    assert "2026-11-05T08:30" not in page.content.decode()
    sent = send(
        desk.owner, BOOK, office=OFFICE, slot="2026-11-06T10:00", trader=SHOP, matter=CATERING
    )
    assert sent.url == MINE
    seen = desk.owner.get(MINE)
    assert "2026年11月6日10:00" in words(seen)
    row = Appointment.objects.get()
    assert row.code in seen.content.decode()
    send(desk.owner, BOOK, change=str(row.pk), slot="2026-11-06T14:00")
    assert "2026年11月6日14:00" in words(desk.owner.get(MINE))
    send(desk.owner, f"{MINE}{row.pk}/act/", do="cancel")
    assert "已取消" in words(desk.owner.get(MINE))
    assert send(desk.stranger, f"{MINE}{row.pk}/act/", do="cancel").status_code == 404


def test_a_form_sent_twice_takes_one_place(desk):
    form = {"once": key(), "office": OFFICE, "slot": "2026-11-06T10:00", "trader": SHOP}
    assert [desk.owner.post(BOOK, form).status_code for _ in range(2)] == [302, 302]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("slot", "status"),
    [("", 422), ("x", 422), ("2026-11-07T10:00", 409), ("2026-11-05T08:00", 409)],
)
def test_what_cannot_be_booked_is_explained(desk, slot, status):
    sent = send(desk.owner, BOOK, office=OFFICE, slot=slot, trader=SHOP)
    assert sent.status_code == status
    assert Appointment.objects.count() == 0


def test_from_arriving_to_the_slip_at_the_counter(desk):
    """预约 → 到 → 叫号 → 核对 → 代填提交 → 答复 → 凭纸条评一次."""
    send(desk.owner, BOOK, office=OFFICE, slot="2026-11-05T09:30", trader=SHOP, matter=CATERING)
    code = Appointment.objects.get().code
    assert code in desk.window.get(DESK).content.decode()
    send(desk.window, f"{DESK}act/", do="check-in", office=OFFICE, code=code)
    assert primary(desk.window.get(DESK).content.decode()) == ["叫下一位"]
    visit = send(desk.window, f"{DESK}act/", do="next", office=OFFICE).url
    page = desk.window.get(visit)
    assert "还没有核对" in words(page)
    assert "设备布局和操作流程图" in words(page)  # what to bring
    assert "向鹿城区市场监督管理局调取，不能向她要" in words(page)  # what is held
    assert primary(page.content.decode()) == ["核对是哪家店"]
    assert send(desk.window, f"{visit}act/", do="identify", who=SHOP).status_code == 422
    send(desk.window, f"{visit}act/", do="identify", who=SHOP, seen="yes")
    assert primary(desk.window.get(visit).content.decode()) == [
        f"代她填{cases.get_matter(CATERING).title}"
    ]
    form = send(desk.window, f"{visit}act/", do="open", matter=CATERING).url
    assert "由您在窗口代填" in words(desk.window.get(form))
    assert "还差：使用面积" in words(desk.window.get(visit))  # what is missing
    wrong = send(desk.window, form, do="submit", use_area_m2="x")
    assert wrong.status_code == 422
    assert send(desk.window, form, do="submit", **FORM).url == visit
    row = Case.objects.get()
    assert row.state == "submitted"
    assert "期限内" in words(desk.window.get(visit)) or "快到期" in words(desk.window.get(visit))
    assert row.number in desk.owner.get(f"/mine/cases/{row.pk}/").content.decode()
    assert send(desk.window, f"{visit}act/", do="answer", answer="").status_code == 409
    done = send(desk.window, f"{visit}act/", do="answer", answer="已提交，五个工作日内受理")
    slip = desk.window.post(f"{visit}ticket/")
    assert "评价码" in words(desk.window.get(done.url))
    ticket = re.search(r'class="code ticket">([^<]+)<', slip.content.decode())[1]
    nobody = Client()
    page = nobody.post("/ratings/visit/", {"ticket": ticket})
    own = re.search(r'name="code" value="([^"]+)"', page.content.decode())[1]
    rated = {"ticket": ticket, "do": "rate", "code": own, "grade": 5}
    assert "收到了：非常满意" in words(nobody.post("/ratings/visit/", rated))
    assert "评过了" in words(nobody.post("/ratings/visit/", {"ticket": ticket}))
    assert Rating.objects.get().channel == "window"
    assert "已评" in words(desk.owner.get(MINE))
    assert desk.window.post(f"{visit}ticket/").status_code == 409


def test_a_shop_is_opened_at_the_counter_and_claimed_at_home(desk, signed_in):
    """没有店也没有账号的人：看身份证件 → 代填提交 → 认领单 → 实名登录 → 凭码认领."""
    visit = served(desk.window, matter="entry.opening")
    assert primary(desk.window.get(visit).content.decode()) == ["代她填设立登记"]
    act = f"{visit}act/"
    assert send(desk.window, act, do="open-shop", name="示例新店主").status_code == 422
    refused = send(desk.window, act, do="open-shop", name="330302199001010000", seen="yes")
    assert refused.status_code == 409
    assert "不写证件号码" in words(refused)
    draft = send(desk.window, act, do="open-shop", name="示例新店主", seen="yes").url
    assert "新店（还没有登记）" in words(desk.window.get(draft))
    given = {"premises": "鹿城区五马街道公安路23号", "scope": "餐饮服务", "composition": "personal"}
    assert send(desk.window, draft, do="submit", **given).url == visit
    assert "已提交" in words(desk.window.get(visit))
    assert "她还没有认领账号" in words(desk.window.get(visit))
    slip = desk.window.post(f"{visit}claim/")
    code = re.search(r'class="code ticket">([^<]+)<', slip.content.decode())[1]
    assert "示例新店主" not in slip.content.decode()  # a lost slip names nobody
    her = signed_in(verified("示例新店主"))
    wrong = her.post("/mine/claim/", {"code": "AAAA-BBBB-CCCC"})
    assert wrong.status_code == 422
    assert "重打一张" in words(wrong)
    assert "认领好了" in words(her.post("/mine/claim/", {"code": code}))
    assert "设立登记" in words(her.get("/mine/"))
    assert her.get(f"/mine/cases/{Case.objects.get().pk}/").status_code == 200
    assert desk.window.post(f"{visit}claim/").status_code == 409  # nothing is left to claim
    assert "她还没有认领账号" not in words(desk.window.get(visit))
    told = desk.stranger.post("/mine/claim/", {"code": code})  # signed in by a password alone
    assert told.status_code == 409
    assert "核验过身份" in words(told)


def verified(name: str):
    account = accounts.open_by_identity("zjzwfw", name, name, at=days(3))
    return actor_of(account, days(3))


def test_her_code_of_this_minute_says_who_stands_there(desk, monkeypatch):
    from types import SimpleNamespace

    asked = []
    monkeypatch.setattr(
        counter.licences,
        "scan",
        lambda code, by, at: asked.append(code) or SimpleNamespace(trader_code=SHOP),
    )
    visit = served(desk.window)
    link = "https://getihu.example/c/ABCDEFGHIJKLMNOP/"
    send(desk.window, f"{visit}act/", do="identify", who=link)
    assert asked == ["ABCDEFGHIJKLMNOP"]
    assert Visit.objects.get().identified_by == "code"
    assert "扫企业码核对过" in words(desk.window.get(visit))


@pytest.mark.parametrize("who", ["", "阿华", "9233030", "https://elsewhere/"])
def test_what_names_no_shop_is_refused_with_the_way_on(desk, who):
    visit = served(desk.window)
    sent = send(desk.window, f"{visit}act/", do="identify", who=who, seen="yes")
    assert sent.status_code == 422
    assert "18位" in words(sent)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (SHOP[:-1] + "K", "按前17位算，第18位应是“J”，写的是“K”"),
        (SHOP.replace("0J", "OJ"), "除I、O、S、V、Z外"),
    ],
)
def test_a_code_written_wrong_is_told_where(desk, who, why):
    visit = served(desk.window)
    sent = send(desk.window, f"{visit}act/", do="identify", who=who, seen="yes")
    assert sent.status_code == 422
    assert why in words(sent)
    assert Visit.objects.get().trader_code == ""
    slot = {"office": OFFICE, "slot": "2026-11-05T09:30"}
    sent = send(desk.window, f"{DESK}book/", trader=who, matter=CATERING, **slot)
    assert sent.status_code == 422
    assert why in words(sent)
    assert not Appointment.objects.exists()


def test_another_officer_of_the_office_sees_the_visit_and_cannot_act_in_it(desk):
    visit = known(desk.window, matter=CATERING)
    assert "首问责任人window" in words(desk.colleague.get(visit))
    assert send(desk.colleague, f"{visit}act/", do="answer", answer="好").status_code == 409
    form = send(desk.window, f"{visit}act/", do="open", matter=CATERING).url
    assert desk.colleague.get(form).status_code == 404
    assert desk.elsewhere.get(visit).status_code == 404
    assert desk.owner.get(visit).status_code == 403


def test_hand_over_on_one_screen_and_the_receiver_takes_it(desk, cast):
    visit = known(desk.window, matter=CATERING, question="消防怎么查")
    page = desk.window.get(f"{visit}hand-over/")
    assert "消防怎么查" in words(page)
    assert "fire（鹿城区消防救援大队）" in words(page)
    to = cast.fire.account_id
    assert send(desk.window, f"{visit}hand-over/", to=to, reason="").status_code == 409
    send(desk.window, f"{visit}hand-over/", to=to, reason="归消防答")
    assert "等fire接手" in words(desk.window.get(visit))
    offer = f"{DESK}offers/{HandingOver.objects.get().pk}/"
    assert "归消防答" in words(desk.fire.get(DESK))
    assert desk.colleague.get(offer).status_code == 404
    send(desk.fire, offer, do="take")
    assert str(Visit.objects.get().owner_id) == to
    assert "现在由fire负责" in words(desk.window.get(offer))
    send(desk.fire, f"{visit}act/", do="answer", answer="五十平方米以上要查")
    assert Visit.objects.get().state == "answered"


def test_a_day_is_closed_by_the_head_and_who_had_booked_reads_it(desk):
    send(desk.owner, BOOK, office=OFFICE, slot="2026-11-06T10:00", trader=SHOP)
    given = {"office": OFFICE, "on": "2026-11-06", "reason": "窗口培训"}
    assert send(desk.window, f"{DESK}days/", **given).status_code == 403
    assert send(desk.superior, f"{DESK}days/", **given).status_code == 302
    assert "已取消（窗口培训）" in words(desk.owner.get(MINE))
    assert "停办：窗口培训" in words(desk.owner.get(BOOK))


def test_an_officer_books_for_whoever_stands_there(desk):
    sent = send(desk.window, f"{DESK}book/", office=OFFICE, slot="2026-11-06T10:00", trader="")
    assert sent.status_code == 302
    assert Appointment.objects.get().visitor == ""
    sent = send(desk.window, f"{DESK}book/", office=OFFICE, slot="2026-11-06T10:00", trader="1")
    assert sent.status_code == 422


def test_the_months_page_ranks_nobody_and_counts_no_traders(desk):
    page = words(desk.superior.get(f"{DESK}months/"))
    assert "不排名次，不看户数" in page
    assert "条例第三十二条" in page
    names = re.findall(
        r'<th scope="row">([^<]+?市场监督管理局办事窗口)',
        desk.superior.get(f"{DESK}months/").content.decode(),
    )
    assert names == [office.name for office in selectors.list_offices()]


def test_an_inbox_says_a_limit_by_colour_word_and_mark(desk):
    hand_in(desk.owner, begin(desk.owner))
    page = desk.window.get("/desk/").content.decode()
    assert re.search(r'tag-good"><span aria-hidden="true">●</span> 期限内 还剩 \d 天', page)


# --- service guides


@pytest.mark.parametrize("matter_id", sorted(cases.matter_catalogue()))
def test_a_guide_says_what_its_matter_says(client, matter_id):
    """办事指南 cannot contradict the matter: each sentence of it is asked of the matter again."""
    matter = cases.get_matter(matter_id)
    page = client.get(f"/guides/{matter_id}/?place={LUCHENG}")
    said = json.loads(client.get(f"/guides/{matter_id}/guide.json?place={LUCHENG}").content)
    assert [d["title"] for d in said["documents"]] == [d.title for d in matter.to_bring]
    assert [h["title"] for h in said["held"]] == [d.title for d in matter.documents if d.held_by]
    assert said["acceptance"]["text"] == cases.term_text(matter.acceptance_clock)
    for step, stage in zip(said["steps"], matter.stages, strict=True):
        assert step["title"] == stage.title
        assert step["term"]["text"] == cases.term_text(stage.clock)
        assert step["term"]["source"] == cases.term_words(stage.clock)[1]
        assert tuple(step["after"]) == stage.after
    assert (said["valid_years"], said["result"]) == (matter.result.valid_years, matter.result.title)
    assert said["fee"] == "不收费"
    assert matter.fee_yuan == 0
    text = words(page)
    named = [*(d.title for d in matter.documents), *matter.legal_basis, matter.result.title]
    for part in (*named, *(stage.title for stage in matter.stages), "行政复议"):
        assert (
            re.sub(r"\s+", "", part).replace('"', "&quot;") in text or part in page.content.decode()
        )


def test_a_guide_follows_a_changed_matter_at_once(client, settings, tmp_path):
    """Control: were a guide kept somewhere, it would go on saying the old."""
    file = next(
        path for folder in settings.MATTER_DIRS for path in Path(folder).glob(f"{CATERING}.yaml")
    )
    changed = tmp_path / file.name
    text = file.read_text("utf-8")
    assert "设备布局和操作流程图" in text
    changed.write_text(text.replace("设备布局和操作流程图", "厨房平面图"), "utf-8")
    settings.MATTER_DIRS = [tmp_path]
    page = client.get(f"/guides/{CATERING}/").content.decode()
    assert "厨房平面图" in page
    assert "设备布局和操作流程图" not in page
    load._catalogue.cache_clear()


def test_a_guide_names_the_office_of_the_county(client, desk):
    assert "乐清市市场监督管理局" in words(client.get(f"/guides/{CATERING}/?place=330382"))
    assert "乐清市消防救援大队" in words(client.get(f"/guides/{CATERING}/?place=330382"))
    assert "温州市市场监督管理局" in words(client.get(f"/guides/{CATERING}/"))
    assert "鹿城区市场监督管理局" in words(desk.owner.get(f"/guides/{CATERING}/"))  # hers
    start = words(desk.owner.get(f"/mine/matters/{CATERING}/"))
    assert "鹿城区消防救援大队" in start
    assert "温州市消防救援支队" not in start


def test_guides_are_found_by_a_word_and_exported(client):
    assert CATERING in client.get("/guides/?text=消防").content.decode()
    assert CATERING not in client.get("/guides/?text=年度报告").content.decode()
    assert "没有说到" in words(client.get("/guides/?text=火箭"))
    table = client.get(f"/guides/guides.csv?place={LUCHENG}").content.decode("utf-8-sig")
    assert "鹿城区市场监督管理局" in table
    assert table.count("\r\n") == 1 + len(selectors.list_guides())
    assert client.get("/guides/entry.nothing/").status_code == 404
