"""The pages: one form, a code, the desk, and the joint conference's office."""

import re
import uuid
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from getihu.accounts.models import Account
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.models import Rating
from getihu.support import services
from getihu.support.models import Appeal
from tests.signed_in import sign_in
from tests.support.conftest import LUCHENG, NO_POWER, SHOP, WHERE, Cast, assigned, days, told

pytestmark = pytest.mark.django_db


def browser(actor=None) -> Client:
    client = Client()
    if actor is not None:
        sign_in(client, Account.objects.get(pk=actor.account_id))
    return client


def once(**form) -> dict:
    return {"once": uuid.uuid4(), **form}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr("getihu.portal.views.appeals.trader_name", lambda code: f"店{code[-4:]}")


def test_told_without_an_account_and_followed_by_the_code(cast: Cast):
    client, code = browser(), fresh_code()
    form = {"text": NO_POWER, "place_text": WHERE, "code": code}
    page = client.post(reverse("portal:appeals"), form).content.decode()
    again = client.post(reverse("portal:appeals"), form)
    row = Appeal.objects.get()  # the same form twice is one appeal
    assert code in page and row.number in page and again.status_code == 200
    follow = reverse("portal:appeal-follow")
    assert row.number in client.post(follow, {"code": code}).content.decode()
    assert client.post(follow, {"code": fresh_code()}).status_code == 404
    now = datetime.now(UTC)
    services.assign(row.pk, "power", by=cast.desk, at=now)
    services.answer(row.pk, "线路已经抢修好。", by=cast.power, at=now)
    page = client.post(follow, {"code": code, "do": "confirm"}).content.decode()
    assert "已办结" in page and "交评价" in page
    given = {"code": code, "do": "rate", "grade": "5", "rating_code": fresh_code()}
    assert "评价收到了" in client.post(follow, given).content.decode()
    assert Rating.objects.get().matter_id == "appeal"


@pytest.mark.parametrize(
    "form, why",
    [
        ({"text": "停"}, "至少 4 个字"),
        ({"text": NO_POWER, "about_agency": "amr"}, "请选是哪里的机关"),
        ({"text": NO_POWER, "trader": SHOP}, "选择"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_lost(cast: Cast, form, why):
    answer = browser().post(reverse("portal:appeals"), {"code": fresh_code(), **form})
    assert answer.status_code == 422 and form["text"] in answer.content.decode()
    assert why in answer.content.decode() or why == "选择"
    assert not Appeal.objects.exists()


def test_her_own_page_confirms_and_reopens(cast: Cast):
    filed = assigned(cast)
    services.answer(filed.id, "线路已经抢修好。", by=cast.power, at=days(1))
    client = browser(cast.owner)
    assert "等您确认" in client.get(reverse("portal:mine-appeals")).content.decode()
    page = reverse("portal:mine-appeal", args=[filed.id])
    assert "解决了，办结" in client.get(page).content.decode()
    act = reverse("portal:mine-appeal-act", args=[filed.id])
    answer = client.post(act, once(do="reopen", reason="晚上又停了"))
    again = Appeal.objects.get(continues=filed.id)
    assert answer.status_code == 302 and str(again.pk) in answer.url
    assert browser(cast.stranger).get(page).status_code == 404


def test_the_desk_sees_why_and_assigns(cast: Cast):
    filed = told(cast)
    client = browser(cast.desk)
    assert filed.number in client.get(reverse("portal:desk-appeals")).content.decode()
    page = client.get(reverse("portal:desk-appeal", args=[filed.id])).content.decode()
    assert "国网温州供电公司" in page and "优化营商环境条例 第二十八条" in page
    act = reverse("portal:desk-appeal-act", args=[filed.id])
    key = once(do="assign", subject="power")
    for _ in range(2):  # sent again it acts no second time
        assert client.post(act, key).url == reverse("portal:desk-appeals")
    assert Appeal.objects.get().agency == "power"


def test_a_clerk_takes_one_down_and_reads_the_code_once(cast: Cast):
    client = browser(cast.desk)
    assert "代为登记" in client.get(reverse("portal:desk-appeal-new")).content.decode()
    form = once(channel="phone", text=NO_POWER, place_text=WHERE, contact="示例联系方式")
    answer = client.post(reverse("portal:desk-appeal-new"), form)
    first = client.get(answer.url).content.decode()
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", first)
    assert "已经显示过" in client.get(answer.url).content.decode()


def test_the_lead_oversees_and_others_do_not(cast: Cast):
    filed = assigned(cast)
    services.sweep_appeals(days(20))
    told(cast, "窗口态度恶劣还索要红包", about=("amr", LUCHENG))
    address = reverse("portal:desk-appeals-oversight")
    page = browser(cast.lead).get(address).content.decode()
    assert filed.number in page and "索要" not in page
    assert "索要" in browser(cast.government).get(
        reverse("portal:desk-appeals")
    ).content.decode() or (Appeal.objects.filter(agency="discipline").exists())
    assert browser(cast.chief).get(address).status_code == 403
    assert browser(cast.desk).get(address).status_code == 403
