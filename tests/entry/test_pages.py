"""Opening a shop, one's register and taking over, as pages."""

from datetime import UTC, datetime

import pytest

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.cases import services as cases
from getihu.cases.models import Case
from getihu.entry.models import Filing
from tests.cases.cast import AT, officer, person
from tests.signed_in import sign_in as sign_in_account

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client, actor):
    sign_in_account(client, Account.objects.get(pk=actor.account_id))


@pytest.fixture
def newcomer(real_city, client):
    found = person("newcomer")
    sign_in(client, found)
    return found


def text_of(response):
    return response.content.decode()


def test_from_the_question_to_the_licence(client, newcomer):
    """The main path: where, begin, fill in, hand in; the officer passes; the shop is hers."""
    window = officer("window", Role.WINDOW_OFFICER, "amr", "330302")
    asked = {"premises": "鹿城区五马街道公安路23号", "trade": "6210"}
    page = text_of(client.get("/open/register/", asked))
    assert "鹿城区 五马街道" in page and "正餐服务" in page
    once = page.split('name="once" value="')[1].split('"')[0]
    answer = client.post("/open/register/", {**asked, "county": "", "once": once})
    case = Case.objects.get()
    assert answer.url == f"/mine/cases/{case.pk}/draft/"
    assert client.post("/open/register/", {**asked, "county": "", "once": once}).url == answer.url
    page = text_of(client.get(answer.url))
    assert "公安路23号" in page and "新店（还没有登记）" in page
    once = page.split('name="once" value="')[1].split('"')[0]
    form = {"premises": asked["premises"], "scope": "正餐服务", "industry_code": "6210"}
    sent = {**form, "composition": "personal", "name": "阿芬面馆", "do": "submit", "once": once}
    assert client.post(answer.url, sent).status_code == 302
    done_at = datetime.now(UTC)
    cases.accept(case.pk, by=window, at=done_at)
    cases.finish_stage(case.pk, "registration", passed=True, by=window, at=done_at)
    code = Filing.objects.get().trader_code
    assert code in actor_of(newcomer.account_id, datetime.now(UTC)).own
    page = text_of(client.get("/mine/"))
    assert "阿芬面馆" in page and "还没有登记" not in page.split("正在办")[0]
    page = text_of(client.get(f"/mine/register/{code}/"))
    assert "存续（在营）" in page and "设立登记" in page and "歇业备案" in page
    assert "恢复经营" not in page  # not while it trades


def test_an_address_that_could_be_several_is_asked_about(client, newcomer):
    page = text_of(client.get("/open/register/", {"premises": "永嘉县上塘镇环城西路1号"}))
    assert "是哪一个？" in page and "北城街道" in page


def test_an_address_nobody_knows_says_what_to_write(client, newcomer):
    page = text_of(client.get("/open/register/", {"premises": "人民路1号"}))
    assert "没有认出来" in page and "请写上县（市、区）和街道" in page
    assert client.get("/open/register/", {"premises": ""}).status_code == 422


def test_signing_in_comes_first(client, real_city):
    assert client.get("/open/register/").url.startswith("/sign-in")


def test_places_while_typing(client, db):
    assert "五马街道" in text_of(client.get("/open/places/", {"premises": "wuma"}))


def test_a_take_over_code_is_shown_once(client, newcomer):
    assert "生成接手码" in text_of(client.get("/mine/take-over/"))
    assert "只显示这一次" in text_of(client.post("/mine/take-over/"))


def test_somebody_elses_register_is_not_shown(client, newcomer, real_city):
    code = next(iter(real_city.personas.values()))
    assert client.get(f"/mine/register/{code}/").status_code in (403, 404)


def test_what_follows_is_told_before_it_is_begun(client, real_city):
    code = next(iter(real_city.personas.values()))
    sign_in(client, person("owner", code))
    page = text_of(client.get("/mine/matters/entry.deregistration/"))
    assert "办了会怎样" in page and "会失去" in page and "信用代码停用" in page


def test_what_cannot_be_filed_is_explained_and_the_draft_survives(client, real_city):
    code = next(iter(real_city.personas.values()))
    owner = person("owner", code)
    sign_in(client, owner)
    case = cases.open_draft("entry.suspension", code, place="330302001", by=owner, at=AT)
    page = text_of(client.get(f"/mine/cases/{case}/draft/"))
    once = page.split('name="once" value="')[1].split('"')[0]
    sent = {
        "from_on": "2099-01-01",
        "until": "2099-12-31",
        "cause": "other",
        "service_address": "某路2号",
        "staff_agreed": "yes",
        "do": "submit",
        "once": once,
    }
    refused = client.post(f"/mine/cases/{case}/draft/", sent)
    assert refused.status_code == 409
    assert "生效的日子还没有到" in text_of(refused) and "最多提前 90 天办" in text_of(refused)
    assert Case.objects.get(pk=case).form["service_address"] == "某路2号"
