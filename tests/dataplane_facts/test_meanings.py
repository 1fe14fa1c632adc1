"""What single facts mean at their edges: year ends, windows, terms, several records."""

from datetime import date, timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from getihu.dataplane import selectors
from getihu.kernel.periods import full_months_between
from getihu.reference import selectors as reference
from tests.dataplane_facts.conftest import facts_of, register
from tests.dataplane_facts.store import Store

FAR = {"issued": "2028-01-05", "until": "2027-12-31"}


def test_a_report_not_filed_is_unknown_until_july_and_then_no(city, ask):
    """市场主体登记管理条例实施细则 §63."""
    city.deliver("annual_reports", [report("B", 2025, date(2026, 3, 1))], **FAR)
    told = {day: ask(as_of=day) for day in (date(2026, 6, 30), date(2026, 7, 1))}
    assert told[date(2026, 6, 30)]["A"]["reported_last_year"] is None
    assert told[date(2026, 7, 1)]["A"]["reported_last_year"] is False
    assert told[date(2026, 6, 30)]["B"]["reported_last_year"] is True


def test_nobody_is_called_late_before_deliveries_reach_the_end_of_filing(city, ask):
    old = report("A", 2024, date(2025, 3, 1))
    city.deliver("annual_reports", [old], issued="2026-01-05", until="2026-06-29")
    answer = ask(as_of=date(2026, 7, 10))
    assert answer["A"]["annual_report__state"] == "recorded"
    assert answer["A"]["reported_last_year"] is None
    assert answer["B"]["reported_last_year"] is None


def test_figures_of_an_old_report_are_not_carried_on(city, ask):
    rows = [report("A", 2023, date(2024, 3, 1), 9), report("B", 2024, date(2025, 3, 1), 5)]
    rows.append(report("B", 2023, date(2026, 1, 1), 8))  # made up later: still the older report
    city.deliver("annual_reports", rows, **FAR)
    answer = ask()
    assert (answer["A"]["report_year_latest"], answer["A"]["annual_employees"]) == (2023, None)
    assert (answer["B"]["report_year_latest"], answer["B"]["annual_employees"]) == (2024, 5)


def report(code, year, filed_on, employees=None):
    return {
        "trader_code": code,
        "report_year": year,
        "filed_on": filed_on,
        "employees": employees,
    }


def test_a_trader_of_this_year_need_not_report_yet(store, ask):
    rows = [
        {
            "trader_code": code,
            "county_code": "330302",
            "established_on": day,
            "changed_on": day,
        }
        for code, day in (("A", date(2025, 12, 31)), ("B", date(2026, 1, 1)))
    ]
    store.deliver("registrations", rows, **FAR)
    store.deliver("annual_reports", **FAR)
    answer = ask()
    assert {code: row["report_exempt_new"] for code, row in answer.items()} == {
        "A": False,
        "B": True,
    }


@settings(max_examples=40, deadline=None)
@given(established=st.dates(date(2015, 1, 1), date(2026, 12, 31)), days=st.integers(0, 2000))
def test_registered_months_are_the_kernel_s_full_months(tmp_path_factory, established, days):
    store = Store(tmp_path_factory.mktemp("store"), selectors.dataset_contracts())
    row = {"trader_code": "A", "county_code": "330302", "changed_on": established}
    store.deliver("registrations", [row | {"established_on": established}], **FAR)
    as_of = established + timedelta(days=days)
    groups = {"registration": selectors.fact_groups()["registration"]}
    found = facts_of(store, groups, as_of=as_of)["A"]["registered_months"]
    if as_of <= date(2028, 1, 20):
        assert found == full_months_between(established, as_of)


def test_every_industry_of_the_code_list_has_its_section(store, groups):
    classes = reference.list_industry_classes()
    rows = [
        {"trader_code": c.code, "county_code": "330302", "industry_code": c.code} for c in classes
    ]
    store.deliver("registrations", rows, **FAR)
    answer = facts_of(store, {"registration": groups["registration"]})
    found = {code: row["industry_section"] for code, row in answer.items()}
    assert found == {c.code: c.section for c in classes}


def test_windows_begin_the_day_after_the_same_day_months_ago(city, ask):
    days = {"1": date(2025, 10, 31), "2": date(2025, 11, 1), "3": date(2026, 10, 31)}
    rows = [
        {"trader_code": "A", "decision_no": no, "decided_on": day, "kind": "fine", "field": "food"}
        for no, day in days.items()
    ]
    city.deliver("penalties", rows, **FAR)
    row = ask()["A"]
    assert (row["penalties_12m"], row["penalties_24m"], row["food_penalties_24m"]) == (2, 3, 3)


def test_a_mark_removed_after_the_date_still_stood_on_it(city, ask):
    mark = {"trader_code": "A", "mark_no": "1", "list": "abnormal", "reason": "unreachable"}
    mark |= {"listed_on": date(2026, 5, 1), "removed_on": date(2026, 9, 10)}
    city.deliver("abnormal_marks", [mark], **FAR)
    before, after = ask(as_of=date(2026, 9, 9))["A"], ask(as_of=date(2026, 9, 10))["A"]
    assert (before["is_marked_abnormal"], before["unreachable"]) == (True, True)
    assert before["abnormal_since"] == date(2026, 5, 1)
    assert (after["is_marked_abnormal"], after["abnormal_since"]) == (False, None)
    assert after["is_seriously_dishonest"] is False


def test_the_tax_year_is_last_year_s_only(city, ask):
    rows = [
        {"trader_code": "A", "tax_year": 2024, "tax_paid_yuan": Decimal("5.00")},
        {"trader_code": "B", "tax_year": 2025, "tax_paid_yuan": Decimal("0.00")},
    ]
    city.deliver("tax_years", rows, **FAR)
    answer = ask()
    assert (answer["A"]["tax_year__state"], answer["A"]["tax_paid_yuan"]) == ("missing", None)
    assert answer["B"]["paid_tax_last_year"] is False
    assert (answer["B"]["taxable_income_yuan"], answer["B"]["surcharges_yuan"]) == (None, 0)


def test_two_months_of_sales_are_not_three(city, ask):
    rows = [vat("A", month) for month in (8, 9, 10)] + [vat("B", month) for month in (8, 10)]
    city.deliver("vat_months", rows, **FAR)
    answer = ask()
    assert answer["A"]["sales_3m_yuan"] == Decimal("300.00")
    assert answer["B"]["sales_3m_yuan"] is None
    assert (answer["B"]["vat_month"], answer["B"]["is_general_taxpayer"]) == (
        date(2026, 10, 1),
        True,
    )


def vat(code, month):
    return {
        "trader_code": code,
        "month": date(2026, month, 1),
        "sales_yuan": Decimal("100.00"),
        "taxpayer_kind": "general" if month == 10 else "small_scale",
    }


@pytest.mark.parametrize(
    ("since", "last_year", "change"),
    [(date(2025, 1, 1), False, 3), (date(2025, 12, 1), None, None)],
    ids=["the data reach back", "they do not"],
)
def test_no_insurance_last_year_needs_last_year_s_data(city, ask, since, last_year, change):
    rows = [
        {
            "trader_code": "A",
            "month": date(2026, month, 1),
            "insured_count": 3,
            "fully_paid": month != 9,
        }
        for month in (8, 9, 10)
    ]
    city.deliver("social_insurance", rows, period_from=since, **FAR)
    answer = ask()
    row = answer["A"]
    assert (row["insured_employees"], row["insured_months"]) == (3, 3)
    assert row["fully_paid_3m"] is False
    assert (row["insured_unit_last_year"], row["insured_employees_change_12m"]) == (
        last_year,
        change,
    )
    assert answer["B"]["insured_employees"] == 0
    assert answer["B"]["insured_unit_last_year"] is last_year


def test_a_month_that_is_not_over_does_not_count(city, ask):
    month = {"trader_code": "A", "month": date(2026, 10, 1), "insured_count": 7}
    city.deliver("social_insurance", [month], **FAR)
    assert ask(as_of=date(2026, 10, 30))["A"]["insured_employees"] == 0
    assert ask(as_of=date(2026, 10, 31))["A"]["insured_employees"] == 7


def test_the_latest_service_loan_is_told_with_its_own_rate(city, ask):
    loan = {"trader_code": "A", "bank_kind": "national", "purpose": "supply"}
    rows = [
        loan | granted("1", date(2025, 4, 1), "9.00", "0.0300"),
        loan | granted("2", date(2025, 6, 1), "7.00", None),
        loan | granted("3", date(2025, 8, 1), "5.00", "0.0400") | {"purpose": "turnover"},
    ]
    city.deliver("loans", rows, **FAR)
    row = ask()["A"]
    assert row["service_loan_granted_on"] == date(2025, 6, 1)
    assert (row["service_loan_yuan"], row["service_loan_rate"]) == (Decimal("7.00"), None)
    assert (row["loans_outstanding"], row["loans_outstanding_yuan"]) == (3, Decimal("21.00"))
    assert ask()["B"]["service_loan_yuan"] == 0


def test_a_loan_of_unknown_purpose_leaves_service_loans_unknown(city, ask):
    rows = [{"trader_code": "A", "bank_kind": "national"} | granted("1", date(2025, 4, 1), "9.00")]
    city.deliver("loans", rows, **FAR)
    assert ask()["A"]["service_loan_yuan"] is None


def granted(contract_no, day, yuan, rate=None):
    return {
        "contract_no": contract_no,
        "granted_on": day,
        "amount_yuan": Decimal(yuan),
        "annual_rate": Decimal(rate) if rate else None,
    }


def test_permits_end_with_their_term_or_their_withdrawal(city, ask):
    permit = {"trader_code": "A", "issued_on": date(2021, 11, 1)}
    rows = [
        permit | {"permit_no": "1", "kind": "food", "expires_on": date(2026, 10, 31)},
        permit | {"permit_no": "2", "kind": "tobacco", "ended_on": date(2026, 10, 31)},
        permit | {"permit_no": "3", "kind": "hygiene"},
    ]
    city.deliver("permits", rows, **FAR)
    today, tomorrow = ask()["A"], ask(as_of=date(2026, 11, 1))["A"]
    assert (today["holds_food_permit"], today["holds_tobacco_permit"]) == (True, False)
    assert (today["permits_held"], today["next_permit_expires_on"]) == (2, date(2026, 10, 31))
    assert (tomorrow["holds_food_permit"], tomorrow["permits_held"]) == (False, 1)
    assert tomorrow["food_permit_expires_on"] == date(2026, 10, 31)


def test_the_county_is_the_one_of_the_date(store, ask):
    register(store, A="330302")
    moved = {"trader_code": "A", "county_code": "330382", "changed_on": date(2026, 9, 1)}
    store.deliver("registrations", [moved], **FAR)
    store.deliver("penalties", divisions=["330382"], **FAR)
    assert ask(as_of=date(2026, 8, 31))["A"]["penalties__state"] == "undelivered"
    assert ask(as_of=date(2026, 9, 1))["A"]["penalties__state"] == "absent"
