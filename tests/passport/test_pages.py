"""The 企业码 as pages: of its owner, of whoever scans it, of a bank."""

import json
import re
import uuid

import pytest
from django.db import IntegrityError

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.dataplane import selectors as dataplane
from getihu.passport.models import Certificate, PresentationRequest, Scan
from tests.cases.cast import officer, person
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


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


def licence_path(code):
    return f"/mine/code/{code}/certificates/{Certificate.objects.get(kind='business_licence').pk}/"


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
    assert "扫过 1 次" in seen and "成立日期" in seen
    assert seen.count("还不知道") == 2 and "不等于没有查过" in seen  # visits and grades: never zero


def test_the_offline_code_is_checked_on_the_page_of_anybody(client, code, owner):
    fetched(client, code)
    page = text_of(client.get(licence_path(code)))
    text = re.search(r'class="code hash">(GT1:[^<]+)<', page).group(1)
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
    for path in (
        "",
        "fresh/",
        f"certificates/{uuid.uuid4()}/",
        f"certificates/{uuid.uuid4()}/file.json",
    ):
        assert client.get(f"/mine/code/{code}/{path}").status_code in (403, 404)
    assert client.get("/desk/bank/").status_code in (403, 404)


def measure(page, number):
    return re.findall(r'class="measure">([^<]+)<', page)[number]


def test_what_it_is_for_is_public(client, code, owner):
    page = text_of(client.get("/passport/"))
    assert "四个数" in page and measure(page, 0) == "0"
    fetched(client, code)
    type(client)().get(fresh_link(client, code, "wall"))
    page = text_of(client.get("/passport/"))
    assert [measure(page, n) for n in (0, 2)] == ["1", "0"]
    assert Scan.objects.count() == 1


def test_the_file_carries_both_signatures_and_is_checked_by_anybody(client, code, owner):
    fetched(client, code)
    file = client.get(f"{licence_path(code)}file.json")
    assert file["Content-Disposition"].startswith("attachment")
    stranger = type(client)()
    assert "现在有效" in text_of(stranger.post("/passport/check/", {"text": text_of(file)}))
    keys = stranger.get("/.well-known/jwt-vc-issuer").json()["jwks"]["keys"]
    assert {key["crv"] for key in keys} == {"P-256", "SM2"} and not any("d" in key for key in keys)
    told = json.loads(file.content)
    told["signatures"][1]["signature"] = told["signatures"][0]["signature"]
    refused = stranger.post("/passport/check/", {"text": json.dumps(told)})
    assert refused.status_code == 422 and "国密签名不对" in text_of(refused)
    assert client.get(f"/mine/code/{code}/certificates/{uuid.uuid4()}/").status_code == 404


def test_a_bank_asks_one_trader_and_no_other_may_answer(client, code, owner):
    fetched(client, code)
    bank = type(client)()
    signed_in(bank, officer("clerk", Role.BANK_CLERK, "bank", "330300"))
    from getihu.portal.views.casework import today

    def ask(trader):
        given = {"scene": "bank_loan", "purpose": "评估贷款", "until": today().isoformat()}
        page = text_of(bank.get("/desk/bank/"))
        return bank.post("/desk/bank/", given | {"trader": trader, "once": once(page)})

    assert ask(code[:-1] + "!").status_code == 422
    assert ask(code.lower()).status_code == 302
    request = PresentationRequest.objects.get()
    where = f"/passport/requests/{request.pk}/"
    other = type(client)()
    signed_in(other, person("stranger", "92330382MA2JXW6N1X"))
    assert other.get(where).status_code == 404
    assert "等您同意" in text_of(client.get(f"/mine/code/{code}/"))
    page = text_of(client.get(where))
    for do in ("agree", "decline"):
        sent = {"once": str(uuid.uuid4()), "do": do, "trader": "92330382MA2JXW6N1X"}
        assert other.post(where, sent).status_code in (403, 422, 409)
    assert PresentationRequest.objects.get().trader_code == ""
    client.post(where, {"once": once(page), "do": "agree", "trader": code})
    assert PresentationRequest.objects.get().trader_code == code
    with pytest.raises(IntegrityError):
        PresentationRequest.objects.update(trader_code="92330382MA2JXW6N1X")
