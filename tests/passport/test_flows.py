"""The licence follows the register; a minute's code; a bank sees what was agreed and no more."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings as conf
from django.db import DatabaseError, transaction
from openvc.openid4vp import verify_vp_token

from getihu.accounts.contracts import ANONYMOUS, Role
from getihu.dataplane import selectors as dataplane
from getihu.entry import services as entry
from getihu.journeys import services as journeys
from getihu.passport import selectors, services
from getihu.passport.contracts import city_day
from getihu.passport.credentials import offline, sd_jwt
from getihu.passport.credentials.keys import FileKeyRing
from getihu.passport.models import Certificate, PresentationRequest, Scan, WalletKey
from getihu.passport.selectors.wallet import request_object
from getihu.registry import selectors as registry
from tests.cases.cast import officer, person

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC)  # a wallet signs with the time it is
TODAY = city_day(AT)
MINUTE = timedelta(seconds=60)


@pytest.fixture
def code(real_city):
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and town_code is not null and permits_held > 0"
        " order by 1 limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    return found.fetchone()[0]


@pytest.fixture
def owner(code):
    return person("owner", code)


@pytest.fixture
def inspector(real_city):
    return officer("inspector", Role.INSPECTOR, "amr", "330300")


@pytest.fixture
def clerk(real_city):
    return officer("clerk", Role.BANK_CLERK, "bank", "330300")


@pytest.fixture
def wallet(code, owner):
    journeys.fetch_wallet(code, at=AT)
    return selectors.list_certificates(code, at=AT)


def rest(code, window, from_on, until):
    content = {
        "until": until.isoformat(),
        "cause": "other",
        "service_address": "某路2号",
        "staff_agreed": True,
    }
    entry.file(code, "suspension", content, effective_on=from_on, by=window, at=AT)


def scanned(code, owner, by=ANONYMOUS, at=AT):
    return services.scan(services.make_code(code, by=owner, at=at), by=by, at=at)


def test_the_wallet_holds_the_licence_and_the_permits_departments_delivered(code, wallet):
    assert wallet[0].title == "营业执照" and wallet[0].is_valid
    assert dict(wallet[0].items)["名称"] == registry.get_trader(code).name
    assert len(wallet) >= 1 + sum(c.is_valid for c in wallet[1:]) > 1
    journeys.fetch_wallet(code, at=AT)
    assert len(selectors.list_certificates(code, at=AT)) == len(wallet)  # again is no change


def test_the_status_follows_the_filing_itself_and_the_day(code, owner, wallet, inspector):
    rest(code, inspector, TODAY, TODAY + timedelta(days=30))
    found = scanned(code, owner)
    assert (found.answer, found.why) == ("not_valid", "歇业中")
    assert found.certificates == ()  # the public sees nothing of what is not valid
    later = AT + timedelta(days=31)
    journeys.sweep_licences(later)  # nobody files anything: the term is over
    assert scanned(code, owner, at=later).answer == "valid"
    entry.file(code, "deregistration", {"tax_cleared": True},
               effective_on=city_day(later), by=inspector, at=later)  # fmt: skip
    with pytest.raises(services.NoLicence):
        services.make_code(code, by=owner, at=later)
    assert not any(c.is_valid for c in selectors.list_certificates(code, at=AT))


def test_the_published_list_says_the_same_at_once(code, owner, wallet, inspector):
    from getihu.passport.credentials.status import read_list, status_at

    rest(code, inspector, TODAY, TODAY + timedelta(days=30))
    row = Certificate.objects.get(kind="business_licence")
    uri = f"{conf.PUBLIC_URL}/passport/status/0.jwt"
    keys = FileKeyRing().public_keys()
    bits, _ = read_list(selectors.status_list(0, AT), keys=keys, uri=uri, at=AT)
    assert status_at(bits, row.place) == 2
    assert selectors.status_list(1, AT) is None


def test_a_code_lives_a_minute_and_a_second_use_is_told(code, owner, wallet):
    made = services.make_code(code, by=owner, at=AT)
    assert not services.scan(made, by=ANONYMOUS, at=AT + MINUTE).is_repeat
    assert services.scan(made, by=ANONYMOUS, at=AT + MINUTE).is_repeat
    with pytest.raises(services.CodeExpired):
        services.scan(made, by=ANONYMOUS, at=AT + MINUTE + timedelta(seconds=1))
    with pytest.raises(services.CodeExpired):
        services.scan("AAAAAAAAAAAAAAAA", by=ANONYMOUS, at=AT)
    assert [s.is_repeat for s in selectors.list_scans(code)].count(True) == 1


def test_each_audience_gets_its_own_part(code, owner, wallet, inspector, clerk):
    public, office, bank = (scanned(code, owner, by) for by in (ANONYMOUS, inspector, clerk))
    titles = [[c.title for c in each.certificates] for each in (public, office, bank)]
    assert titles[0] == titles[2] == ["营业执照"] and len(titles[1]) == len(wallet)
    assert {k for k, _ in bank.certificates[0].items} == {"名称", "统一社会信用代码"}
    assert "成立日期" not in dict(public.certificates[0].items)
    assert "成立日期" in dict(office.certificates[0].items)
    assert [s.who for s in selectors.list_scans(code)][-1] == "没有登录的人"
    assert selectors.count_visits(code, AT - MINUTE) == 1


def test_only_the_owner_opens_the_code(code, owner, wallet, inspector):
    with pytest.raises(services.NotHers):
        services.make_code(code, by=inspector, at=AT)


def test_a_true_signature_over_what_was_never_issued_is_refused(code, owner, wallet):
    """The key is stolen: forged licences verify, and are in no log."""
    signer = FileKeyRing().current()
    forged = offline.make(
        str(uuid.uuid4()), code, "假店", issuer=conf.PUBLIC_URL, signer=signer, at=AT
    )
    with pytest.raises(services.BadCredential, match="没有签发过"):
        services.check_text(forged, by=ANONYMOUS, at=AT)
    true = services.make_offline_code(code, by=owner, at=AT)
    assert services.check_text(true, by=ANONYMOUS, at=AT).answer == "valid"
    FileKeyRing().rotate(withdraw=True)
    with pytest.raises(services.BadCredential):
        services.check_text(true, by=ANONYMOUS, at=AT)
    assert scanned_is_refused(code, owner)
    journeys.fetch_wallet(code, at=AT)  # one step gives her a new one
    assert scanned(code, owner).answer == "valid"


def scanned_is_refused(code, owner):
    return scanned(code, owner).answer == "not_valid"


def test_who_takes_the_shop_over_gets_other_keys(code, owner, wallet, inspector):
    before = bytes(WalletKey.objects.get().sealed)
    taker = person("taker")
    content = {"operator": taker.account_id}
    entry.file(code, "operator_change", content, effective_on=TODAY, by=inspector, at=AT)
    assert bytes(WalletKey.objects.get().sealed) != before
    assert Certificate.objects.filter(kind="business_licence", status=0).count() == 1
    assert Certificate.objects.filter(kind="business_licence", status=1).count() == 1


def asked(clerk, wanted=("name", "scope"), **more):
    given = {"until": TODAY + timedelta(days=30), "by": clerk, "at": AT} | more
    return services.ask("bank_loan", "评估5万元贷款", wanted, **given)


def test_a_bank_sees_what_was_agreed_until_the_day_and_no_more(code, owner, wallet, clerk):
    request = asked(clerk)
    assert selectors.get_request(request, by=owner, at=AT).state == "open"
    services.answer(request, code, by=owner, at=AT)
    (seen,) = selectors.list_asked(clerk, at=AT)
    assert [label for label, _ in seen.shown] == ["名称", "统一社会信用代码", "经营范围"]
    other = officer("clerk2", Role.BANK_CLERK, "bank", "330300")
    assert selectors.list_asked(other, at=AT) == []
    later = AT + timedelta(days=31)
    assert selectors.list_asked(clerk, at=later)[0].shown == ()
    assert services.wipe_expired(city_day(later), at=later) == 1
    assert PresentationRequest.objects.get().shown is None


@pytest.mark.parametrize(
    ("hour", "state"),
    [
        (datetime(2026, 11, 9, 15, 59, tzinfo=UTC), "answered"),
        (datetime(2026, 11, 9, 16, 0, tzinfo=UTC), "over"),
    ],
)
def test_the_day_ends_at_midnight_in_the_city(clerk, hour, state):
    """16:00 UTC is the next morning in Wenzhou: what was agreed until yesterday is over."""
    row = PresentationRequest(
        agency="bank",
        scene="bank_loan",
        wanted=["name"],
        purpose="评估",
        asked_at=hour,
        answer_by=hour,
        answered_at=hour,
        until=date(2026, 11, 9),
        shown={"name": "甲"},
        asked_by_id=clerk.account_id,
        trader_code="92330302MA2ECR1A0J",
    )
    row.save()
    (seen,) = selectors.list_asked(clerk, at=hour)
    assert seen.state == state


def test_what_the_licence_does_not_say_is_told_as_such(code, owner, wallet, clerk):
    """A shop registered elsewhere has no form of composition here: no reason to refuse her."""
    request = services.ask("bank_account", "开户", ["name", "form"], until=TODAY, by=clerk, at=AT)
    services.answer(request, code, by=owner, at=AT)
    (seen,) = selectors.list_asked(clerk, at=AT)
    assert ("组成形式", "执照上没有") in seen.shown


def test_she_takes_it_back_and_the_page_is_empty(code, owner, wallet, clerk):
    request = asked(clerk)
    services.answer(request, code, by=owner, at=AT)
    with pytest.raises(services.NotHers):
        services.take_back(request, by=clerk, at=AT)
    services.take_back(request, by=owner, at=AT)
    assert selectors.list_asked(clerk, at=AT)[0].shown == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"wanted": ("premises",)}, "不能要"),
        ({"wanted": ()}, "不能要"),
        ({"until": TODAY + timedelta(days=181)}, "180 天以内"),
        ({"until": TODAY - timedelta(days=1)}, "180 天以内"),
    ],
)
def test_a_bank_asks_for_no_more_than_its_scene(clerk, more, why):
    with pytest.raises(services.BadRequest, match=why):
        asked(clerk, **more)


def test_an_answer_is_checked_like_any_wallets(code, owner, wallet, clerk, inspector):
    """Another nonce, another holder, a licence that rests, a second answer, too late: refused.
    The library's own verifier of OpenID4VP agrees with ours."""
    from getihu.passport.services.wallet import holder_key

    request = asked(clerk)
    row = PresentationRequest.objects.get(pk=request)
    text = Certificate.objects.get(kind="business_licence", status=0).text
    key, told = holder_key(code, at=AT), request_object(row)

    def shown(nonce=row.nonce, names=("name", "scope"), at=AT):
        cut = sd_jwt.present(
            text, names, holder=key, audience=told["client_id"], nonce=nonce, at=at
        )
        return {"licence": [cut]}

    for bad in (
        shown("other"),
        shown(names=("name",)),
        {"licence": [text]},
        {},
        [],
        {"licence": []},
    ):
        with pytest.raises(services.BadPresentation):
            services.take_response(request, bad, at=AT)
    keys = FileKeyRing().public_keys()
    verify_vp_token(  # it reads the clock itself, and the suite may be an hour old by now
        shown(at=datetime.now(UTC)),
        dcql_query=told["dcql_query"],
        nonce=row.nonce,
        client_id=told["client_id"],
        jwt_vc_issuer_fetch=lambda *_: {
            "issuer": conf.PUBLIC_URL,
            "jwks": {"keys": list(keys.values())},
        },
    )
    with pytest.raises(services.BadRequest, match="30分钟"):
        services.take_response(request, shown(), at=AT + timedelta(minutes=31))
    services.take_response(request, shown(), at=AT)
    with pytest.raises(services.BadRequest, match="回答过"):
        services.take_response(request, shown(), at=AT)


def test_a_resting_licence_is_not_presented(code, owner, wallet, clerk, inspector):
    rest(code, inspector, TODAY, TODAY + timedelta(days=30))
    with pytest.raises(services.BadPresentation, match="歇业中"):
        services.answer(asked(clerk), code, by=owner, at=AT)


def test_the_plans_numbers_are_counted_from_events(code, owner, wallet, clerk):
    assert selectors.count_numbers(None, at=AT).share is None
    services.answer(asked(clerk), code, by=owner, at=AT)
    found = selectors.count_numbers(4, at=AT)
    assert (found.scenes_used, found.users, found.share) == (1, 1, 0.25)
    assert found.kinds_issued == len({c.kind for c in wallet})


def test_who_looked_cannot_be_changed(code, owner, wallet):
    scanned(code, owner)
    with pytest.raises(DatabaseError), transaction.atomic():
        Scan.objects.update(audience="bank")
