"""The 企业码 as pages: of its owner, of whoever scans it, of a bank."""

import json
import re

import pytest

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.dataplane import selectors as dataplane
from getihu.passport.models import Certificate, PresentationRequest, Scan
from tests.cases.cast import officer, person
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def code(real_city):
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and town_code is not null and permits_held > 0"
        " order by 1 limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    return found.fetchone()[0]


def signed_in(client, actor):
    sign_in(client, Account.objects.get(pk=actor.account_id))
    return actor


@pytest.fixture
def owner(client, code):
    return signed_in(client, person("owner", code))


def once(page):
    return re.search('name="once" value="([^"]+)"', page).group(1)


def text_of(answer):
    return answer.content.decode()


def fetched(client, code):
    page = text_of(client.get(f"/mine/code/{code}/"))
    assert "还没有领取" in page
    client.post(f"/mine/code/{code}/", {"once": once(page)})
    return text_of(client.get(f"/mine/code/{code}/"))


def fresh_link(client, code, scene=""):
    page = text_of(client.get(f"/mine/code/{code}/fresh/", {"scene": scene}))
    return "/c/" + re.search(r"/c/([A-Z2-7]+)/", page).group(1) + "/"


def test_fetched_shown_scanned_and_told(client, code, owner, django_user_model):
    page = fetched(client, code)
    assert "营业执照" in page and "还没有人扫过" in page
    link = fresh_link(client, code, "consumer_scan")
    stranger = type(client)()
    seen = text_of(stranger.get(link))
    assert "现在有效" in seen and "名称" in seen and "成立日期" not in seen
    assert "可能是截图" in text_of(stranger.get(link))
    told = text_of(client.get(f"/mine/code/{code}/"))
    assert "没有登录的人" in told and "顾客扫码看信用" in told and "同一个码第二次" in told
    assert "AAAA" not in told and stranger.get("/c/AAAAAAAAAAAAAAAA/").status_code == 404


def test_an_inspector_sees_permits_and_how_often_we_came(client, code, owner):
    fetched(client, code)
    link = fresh_link(client, code)
    office = type(client)()
    signed_in(office, officer("inspector", Role.INSPECTOR, "amr", "330300"))
    seen = text_of(office.get(link))
    assert "当面扫过 1 次" in seen and "成立日期" in seen


def test_the_offline_code_is_checked_on_the_page_of_anybody(client, code, owner):
    fetched(client, code)
    page = text_of(client.get(f"/mine/code/{code}/offline/"))
    text = re.search(r'class="code">(GT1:[^<]+)<', page).group(1)
    from html import unescape

    stranger = type(client)()
    assert "现在有效" in text_of(stranger.post("/passport/check/", {"text": unescape(text)}))
    forged = stranger.post("/passport/check/", {"text": "GT1:XXXX"})
    assert forged.status_code == 422 and "读不懂" in text_of(forged)
    licence = Certificate.objects.get(kind="business_licence").text
    assert "现在有效" in text_of(stranger.post("/passport/check/", {"text": licence}))


def test_keys_and_status_are_open_to_any_verifier(client, code, owner):
    assert client.get("/passport/status/0.jwt").status_code == 404
    fetched(client, code)
    told = client.get("/.well-known/jwt-vc-issuer").json()
    assert told["issuer"] == "https://licences.example" and "d" not in told["jwks"]["keys"][0]
    listed = client.get("/passport/status/0.jwt")
    assert listed["Content-Type"] == "application/statuslist+jwt"
    assert listed.content.count(b".") == 2


def test_a_bank_asks_she_agrees_and_takes_back(client, code, owner):
    fetched(client, code)
    bank = type(client)()
    signed_in(bank, officer("clerk", Role.BANK_CLERK, "bank", "330300"))
    from getihu.portal.views.casework import today

    page = text_of(bank.get("/desk/bank/"))
    form = {
        "scene": "bank_loan",
        "purpose": "评估贷款",
        "until": today().isoformat(),
        "once": once(page),
    }
    assert bank.post("/desk/bank/", form).status_code == 302
    request = PresentationRequest.objects.get()
    assert "等经营者" in text_of(bank.get("/desk/bank/"))
    told = bank.get(f"/passport/requests/{request.pk}/object.json").json()
    assert told["nonce"] == request.nonce
    page = text_of(client.get(f"/passport/requests/{request.pk}/"))
    assert "评估贷款" in page and "成立日期" in page
    agreed = {"once": once(page), "do": "agree", "trader": code}
    assert client.post(f"/passport/requests/{request.pk}/", agreed).status_code == 302
    seen = text_of(bank.get("/desk/bank/"))
    assert "已同意" in seen and code in seen
    client.post(f"/passport/requests/{request.pk}/take-back/", {"trader": code})
    assert code not in text_of(bank.get("/desk/bank/"))


def test_another_wallets_answer_is_taken_or_refused(client, code, owner):
    fetched(client, code)
    bank = officer("clerk", Role.BANK_CLERK, "bank", "330300")
    from getihu.passport import services
    from getihu.portal.views.casework import now, today

    request = services.ask("bank_loan", "评估", ["name"], until=today(), by=bank, at=now())
    wallet = type(client)(enforce_csrf_checks=True)
    where = f"/passport/requests/{request}/response/"
    for bad in ("", "[", json.dumps({"licence": ["a.b.c"]}), "[" * 5000):
        assert wallet.post(where, {"vp_token": bad}).status_code == 400
    assert not PresentationRequest.objects.exclude(answered_at=None).exists()


def test_the_code_is_its_owners_alone(client, code, real_city):
    signed_in(client, person("stranger"))
    for path in ("", "fresh/", "offline/"):
        assert client.get(f"/mine/code/{code}/{path}").status_code in (403, 404)
    assert client.get("/desk/bank/").status_code in (403, 404)


def test_what_it_is_for_is_public(client, code, owner):
    page = text_of(client.get("/passport/"))
    assert "用过的场景" in page and "0 个（目标 30）" in page
    fetched(client, code)
    type(client)().get(fresh_link(client, code, "wall"))
    assert "1 个（目标 30）" in text_of(client.get("/passport/"))
    assert Scan.objects.count() == 1
