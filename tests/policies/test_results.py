"""How a policy does, and how long the government took: numbers that single nobody out."""

from datetime import date, timedelta

import pytest

from getihu.policies import selectors
from getihu.policies.library import documents
from getihu.policies.models import Award, Push
from getihu.policies.selectors import results
from tests.policies.conftest import AT, RULE, awarded

pytestmark = pytest.mark.django_db(transaction=True)
ON = date(2026, 10, 31)


def pay(run, how_many: int, days: int) -> list[Award]:
    rows = list(run.awards.filter(state="entitled").order_by("position"))[:how_many]
    for state in ("confirmed", "cleared", "ordered", "paid"):
        run.awards.filter(pk__in=[row.pk for row in rows]).update(state=state)
    on = (AT + timedelta(days=days)).date()
    run.awards.filter(pk__in=[row.pk for row in rows]).update(paid_on=on)
    return rows


def test_uptake_cost_and_time_come_from_the_awards(city, writer, supervisor):
    run = awarded(writer, supervisor)
    rows = pay(run, 12, days=5)
    found = selectors.get_results(RULE, ON)
    assert found.awarded == run.awards.count()
    assert (found.paid, found.days_to_money) == (12, 5)
    assert found.paid_yuan == sum(row.cents for row in rows) / 100
    assert found.uptake == pytest.approx(12 / run.awards.count())
    assert found.numbers.counts["yes"] == found.awarded
    assert found.reviews == 0


def test_few_awards_are_not_told(city, writer, supervisor):
    run = awarded(writer, supervisor)
    pay(run, selectors.FEWEST - 1, days=5)
    found = selectors.get_results(RULE, ON)
    assert (found.paid, found.paid_yuan, found.days_to_money, found.uptake) == (None,) * 4


def test_what_is_missing_is_told_by_department(city):
    found = selectors.get_results("policies.six_taxes_half", ON)
    assert found.awarded is None
    assert all(each.department_name and each.traders for each in found.missing)
    assert [m.traders for m in found.missed if m.traders is not None] == sorted(
        (m.traders for m in found.missed if m.traders is not None), reverse=True
    )


def test_the_clock_runs_from_the_signature(city, monkeypatch, writer, supervisor):
    name = "演示城市示例政策，不是真实文件"
    signed = documents.Document(name, ("演示城市",), "", date(2026, 10, 21))
    monkeypatch.setattr(results, "document_of", lambda _: signed)
    monkeypatch.setattr(
        results.rulebook, "first_days", lambda: {RULE: ON, "other": date(2026, 1, 1)}
    )
    run = awarded(writer, supervisor)
    Push.objects.create(rule_id=RULE, rule_version="1", trader_code="c", kind="award", pushed_at=AT)
    pay(run, 1, days=2)
    (clock,) = [c for c in selectors.list_government_clocks(ON) if c.rule_id == RULE]
    assert (clock.days_to_rule, clock.days_to_push, clock.days_to_money) == (10, 19, 21)
    assert not clock.is_older


def test_what_was_signed_before_this_installation_says_nothing_of_speed(city, monkeypatch):
    monkeypatch.setattr(results.rulebook, "first_days", lambda: {RULE: ON})
    clocks = selectors.list_government_clocks(ON)
    old = [each for each in clocks if each.signed_on]
    assert old
    assert all(each.is_older for each in old)
    assert [each.signed_on for each in old] == sorted((c.signed_on for c in old), reverse=True)
    assert any(each.signed_on is None for each in clocks)  # unknown stays unknown


def test_everybody_reads_them(client, city, writer, supervisor):
    run = awarded(writer, supervisor)
    pay(run, 3, days=1)
    page = client.get(f"/policies/{RULE}/results/").content.decode()
    assert "够到了多少人" in page
    assert "到账的中位数" not in page  # three are too few
    assert "只差这一条" in page
    clocks = client.get("/policies/clocks/").content.decode()
    assert "2024-03-29" in clocks
    rows = client.get("/policies/clocks.csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == len(selectors.list_government_clocks(ON)) + 1
