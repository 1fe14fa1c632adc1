"""From a case to the register: filed with the grant, once, or not at all."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Role
from getihu.accounts.selectors import actor_of, list_operators
from getihu.cases import services as cases
from getihu.cases.models import Case
from getihu.dataplane import selectors as dataplane
from getihu.entry import services
from getihu.entry.models import Filing, RegisterRow
from getihu.entry.selectors import get_entry, list_filings
from getihu.entry.services import FilingRefused
from getihu.entry.services.taking_over import find_taker
from getihu.kernel.codes import is_credit_code, is_sole_trader_code, normalise_credit_code
from getihu.registry import selectors as registry
from tests.cases.cast import AT, officer, person

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2026, 11, 2)


@pytest.fixture
def shop(real_city):
    """A shop of the city that trades and is in no trouble, and who runs it."""
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and not is_marked_abnormal"
        " and not is_seriously_dishonest and town_code is not null order by 1 limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    code = found.fetchone()[0]
    return registry.get_trader(code), person("owner", code)


@pytest.fixture
def window(shop):
    return officer("window", Role.WINDOW_OFFICER, "amr", shop[0].county_code)


def handed_in(shop, matter, answers):
    trader, owner = shop
    case = cases.open_draft(matter, trader.trader_code, place=trader.town_code, by=owner, at=AT)
    cases.save_draft(case, answers, by=owner)
    cases.submit(case, by=owner, at=AT)
    return case


def granted(case, window, *stages, at=AT):
    cases.accept(case, by=window, at=at)
    for stage in stages or ("registration",):
        cases.finish_stage(case, stage, passed=True, by=window, at=at)


REST = {
    "from_on": "2026-11-10",
    "until": "2027-05-09",
    "cause": "other",
    "service_address": "某街道某路2号",
    "staff_agreed": True,
}


def test_the_grant_is_the_filing(shop, window):
    granted(handed_in(shop, "entry.suspension", REST), window)
    code = shop[0].trader_code
    entry = get_entry(code)
    assert entry.status_on(date(2026, 11, 9)) == "active"
    assert entry.status_on(date(2026, 11, 10)) == "suspended"
    filings = list_filings(code)
    assert [f.label for f in filings] == ["歇业备案", "登记库原有的登记"]
    assert ("歇业到哪一天", "2027年5月9日") in filings[0].said
    assert entry.name == shop[0].name  # what the department's register said is the first filing


def test_what_cannot_be_filed_is_told_before_it_is_handed_in_and_the_draft_stays(shop, window):
    with pytest.raises(FilingRefused, match="累计歇业超过3年"):
        handed_in(shop, "entry.suspension", REST | {"until": "2030-01-01"})
    assert Case.objects.get().state == "draft"
    assert not Filing.objects.exists()


def test_two_cases_that_exclude_each_other_the_second_grant_is_refused_whole(shop, window):
    first = handed_in(shop, "entry.suspension", REST)
    second = handed_in(shop, "entry.suspension", REST | {"from_on": "2026-12-01"})
    granted(first, window)
    cases.accept(second, by=window, at=AT)
    with pytest.raises(FilingRefused, match="不能办歇业备案"):
        cases.finish_stage(second, "registration", passed=True, by=window, at=AT)
    assert Case.objects.get(pk=second).state == "accepted"
    assert Filing.objects.filter(kind="suspension").count() == 1


def test_the_register_is_its_filings_and_can_be_made_again(shop, window):
    granted(handed_in(shop, "entry.suspension", REST), window)
    assert services.rebuild_register() == (1, 0)
    RegisterRow.objects.update(status="cancelled", through=9)
    assert services.rebuild_register() == (1, 1)
    assert RegisterRow.objects.get().status == "active"


def test_the_database_holds_filings_fast(shop, window):
    granted(handed_in(shop, "entry.suspension", REST), window)
    with pytest.raises(DatabaseError), transaction.atomic():
        Filing.objects.filter(kind="suspension").update(effective_on=date(2026, 1, 1))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE entry_filing SET content = '{}'")


def test_what_the_register_knew_at_a_moment_can_be_asked_later(shop, window):
    granted(handed_in(shop, "entry.suspension", REST), window)
    code, later = shop[0].trader_code, AT + timedelta(days=40)
    case = cases.open_draft("entry.resumption", code, place=shop[0].town_code, by=shop[1], at=later)
    cases.save_draft(case, {"resumed_on": "2026-12-01"}, by=shop[1])
    cases.submit(case, by=shop[1], at=later)
    granted(case, window, at=later)
    day = date(2026, 12, 5)
    assert get_entry(code).status_on(day) == "active"
    assert get_entry(code, known_at=AT + timedelta(days=1)).status_on(day) == "suspended"


def test_who_takes_a_shop_over_says_so_herself(shop, window):
    taker = person("taker")
    code = services.make_take_over_code(by=taker, at=AT)
    with pytest.raises(services.BadTakeOver):
        handed_in(
            shop, "entry.operator_change", {"reason": "sale", "take_over_code": "AAAAA-AAAAA"}
        )
    case = handed_in(shop, "entry.operator_change", {"reason": "sale", "take_over_code": code})
    granted(case, window)
    trader = shop[0].trader_code
    assert [str(a) for a in list_operators([trader])[trader]] == [taker.account_id]
    assert trader not in actor_of(shop[1].account_id, AT + timedelta(minutes=1)).own
    with pytest.raises(services.BadTakeOver):
        find_taker(code, at=AT)  # good once


def test_somebody_without_a_shop_opens_one(real_city):
    newcomer = person("newcomer")
    window = officer("window", Role.WINDOW_OFFICER, "amr", "330302")
    answers = {
        "premises": "鹿城区五马街道某路3号",
        "scope": "餐饮服务",
        "industry_code": "6210",
        "composition": "personal",
        "name": "阿芬面馆",
    }
    case = services.begin_opening(answers, place="330302001", by=newcomer, at=AT)
    newcomer = actor_of(newcomer.account_id, AT)
    cases.submit(case, by=newcomer, at=AT)
    granted(case, window)
    filing = Filing.objects.get()
    code = normalise_credit_code(filing.trader_code)
    assert is_credit_code(code) and is_sole_trader_code(code)
    assert code[2:8] == "330302"
    entry = get_entry(code)
    assert (entry.status_on(TODAY), entry.name) == ("active", "阿芬面馆")
    assert code in actor_of(newcomer.account_id, AT + timedelta(minutes=1)).own


def test_the_tax_office_that_says_nothing_for_ten_days_holds_up_nobody(shop, window):
    promised = {"debts_settled": True, "promised_in_writing": True}
    clean = {"has_encumbrance": False, "is_under_case": False}
    case = handed_in(shop, "entry.simple_deregistration", promised | clean)
    cases.accept(case, by=window, at=AT)
    cases.sweep_due(AT + timedelta(days=10))
    with pytest.raises(cases.IllegalMove):
        cases.finish_stage(case, "registration", passed=True, by=window, at=AT)
    later = AT + timedelta(days=13)
    cases.sweep_due(later)
    cases.finish_stage(case, "registration", passed=True, by=window, at=later)
    assert get_entry(shop[0].trader_code).status == "cancelled"


def test_simple_deregistration_says_which_exclusion_stands_against_it(shop, window):
    promised = {"debts_settled": True, "promised_in_writing": True}
    with pytest.raises(FilingRefused, match="立案调查"):
        handed_in(
            shop,
            "entry.simple_deregistration",
            promised | {"has_encumbrance": False, "is_under_case": True},
        )


def test_codes_run_out_with_a_word_about_it(db):
    one = services.allot_code("330302", at=AT)
    two = services.allot_code("330302", at=AT)
    assert one != two and is_credit_code(one) and is_credit_code(two)
    from getihu.entry.models import AllottedCode

    AllottedCode.objects.create(number=31**4 - 1, trader_code="x", at=AT)
    with pytest.raises(services.BlockUsedUp, match="码段已经用完"):
        services.allot_code("330302", at=AT)


def test_only_a_superior_of_the_registrar_annuls(shop, window):
    granted(handed_in(shop, "entry.suspension", REST), window)
    code = shop[0].trader_code
    with pytest.raises(accounts.NotAllowed):
        services.annul(code, 2, reason="冒名", by=window, at=AT)
    superior = officer("superior", Role.SUPERVISOR, "amr", shop[0].county_code)
    services.annul(code, 2, reason="冒名", by=superior, at=AT)
    assert get_entry(code).suspensions == ()
    assert [f.counts for f in list_filings(code)] == [False, False, True]
