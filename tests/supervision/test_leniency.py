"""First or not across departments, the rule's answer and comparable cases before a decision, and a
record of what was not punished."""

import re
import uuid
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.kernel.errors import InvalidInput
from getihu.rulebook import selectors as rulebook
from getihu.supervision import selectors, services
from getihu.supervision.catalogue.items import get_item
from getihu.supervision.contracts import OUTCOME_LABELS, Outcome
from getihu.supervision.models import Breach
from getihu.supervision.selectors import breaches as reads
from getihu.supervision.selectors import memory
from tests.growth.conftest import officer, operator
from tests.signed_in import sign_in
from tests.supervision.conftest import code, later

pytestmark = pytest.mark.django_db
DAY = date(2027, 1, 11)
SHOP = code(1)
PLACE = "330302001"
PRODUCE = {
    "had_intent": "否",
    "caused_nonconformity": "否",
    "states_source": "是",
    "caused_food_accident": "否",
}


@pytest.fixture(autouse=True)
def kept(settings, monkeypatch):
    """Every department's findings have been kept for seven years; no older penalty is known."""
    settings.BREACH_MEMORY_SINCE = "2020-01-01"
    monkeypatch.setattr(memory.dataplane, "list_records", lambda *a, as_of: [])


def note(clerk, item="farm_produce", *, on=DAY, facts=PRODUCE, corrected=DAY, trader=SHOP, **more):
    return services.note_breach(
        trader, item, place=PLACE, found_on=on, what="冷柜里有一箱不合格的菜", facts=facts,
        corrected_on=corrected if corrected and corrected >= on else None, by=clerk, at=later(0), **more,
    )  # fmt: skip


def decide(breach, outcome, clerk, **more):
    row = Breach.objects.get(pk=breach)
    answer, _ = selectors.answer_of(row)
    seen = selectors.seen_digest(answer, selectors.comparable_to(row.item, row.band))
    sent = {"education": "当场讲解进货查验，发宣传页"} | more
    services.decide_breach(breach, outcome=outcome, seen=seen, by=clerk, at=later(1), **sent)


def answer(breach):
    return selectors.answer_of(Breach.objects.get(pk=breach))[0]


def test_a_first_breach_corrected_at_once_is_not_punished_and_is_kept(clerk):
    made = note(clerk)
    assert answer(made).outcome == "yes"
    decide(made, Outcome.EDUCATION, clerk)
    told = selectors.list_breaches_of(SHOP, actor=operator(SHOP))[0]
    assert told.outcome_label == "不予处罚，责令改正并教育" and told.education
    assert told.follows is True


def test_any_department_s_earlier_one_counts_within_the_window(clerk):
    """Twenty-three months ago it is not first, twenty-four months ago it is again."""
    earlier = note(clerk, on=date(2025, 2, 11))
    assert answer(note(clerk)).outcome == "unknown"  # the earlier one has not been decided
    decide(earlier, Outcome.CORRECT, clerk)
    assert answer(note(clerk)).outcome == "no"
    assert (
        memory.memory_of(SHOP, get_item("farm_produce"), DAY).facts["months_since_same_breach"]
        == 23
    )
    other = code(2)
    old = note(clerk, on=date(2025, 1, 11), trader=other)
    decide(old, Outcome.CORRECT, clerk)
    assert answer(note(clerk, trader=other)).outcome == "yes"


def test_what_was_unfounded_and_another_kind_do_not_count(clerk):
    decide(note(clerk, on=date(2026, 6, 1)), Outcome.UNFOUNDED, clerk)
    decide(note(clerk, "food_label", on=date(2026, 6, 1), facts={}), Outcome.CORRECT, clerk,
           departure="标签当场撤下")  # fmt: skip
    assert answer(note(clerk)).outcome == "yes"


@pytest.mark.parametrize("since", ["", "2025-01-12"])
def test_before_the_memory_began_nobody_can_say_first(clerk, settings, since):
    settings.BREACH_MEMORY_SINCE = since
    made = note(clerk)
    assert answer(made).outcome == "unknown"
    with pytest.raises(services.NotNow, match="查了哪里"):
        services.answer_breach(
            made, facts=PRODUCE | {"ever_same_breach": "否"}, by=clerk, at=later(1)
        )
    services.answer_breach(
        made, facts=PRODUCE | {"ever_same_breach": "否"}, checked_where="2020年以来的纸质案卷",
        by=clerk, at=later(1),
    )  # fmt: skip
    assert answer(made).outcome == "yes"


def test_a_memory_that_just_covers_the_window_answers(clerk, settings):
    settings.BREACH_MEMORY_SINCE = "2025-01-11"
    assert answer(note(clerk)).outcome == "yes"


def test_an_older_penalty_of_the_same_area_in_the_departments_data_is_looked_up_first(
    clerk, monkeypatch
):
    def penalty(field):
        row = {"decided_on": date(2026, 3, 2), "field": field}
        monkeypatch.setattr(memory.dataplane, "list_records", lambda *a, as_of: [row])

    penalty("food")
    assert answer(note(clerk)).outcome == "unknown"
    penalty("advertising")
    assert answer(note(clerk)).outcome == "yes"


def test_what_the_memory_tells_is_not_overruled(clerk):
    decide(note(clerk, on=date(2026, 6, 1)), Outcome.CORRECT, clerk)
    with pytest.raises(InvalidInput, match="已经能回答"):
        note(clerk, facts=PRODUCE | {"ever_same_breach": "否"}, checked_where="案卷")


@pytest.mark.parametrize(("yuan", "clause"), [("500.00", "yes"), ("500.01", "no")])
def test_a_cent_beyond_500_yuan_is_beyond(clerk, yuan, clause):
    facts = {"expired_goods_yuan": yuan, "is_minor": "是", "caused_harm": "否"}
    made = note(clerk, "expired_food", facts=facts)
    assert answer(made).clauses[0].truth == clause
    band = Breach.objects.get(pk=made).band
    assert band == (
        "超过100.00元、不超过500.00元" if clause == "yes" else "超过500.00元、不超过1000.00元"
    )


def test_correction_comes_from_the_re_check_not_from_an_answer(clerk):
    made = note(clerk, corrected=None, correct_until=DAY)
    assert answer(made).outcome == "unknown"
    with pytest.raises(services.NotNow, match="复查"):
        services.answer_breach(made, facts={"corrected_in_time": "是"}, by=clerk, at=later(1))
    with pytest.raises(services.NotNow, match="期限还没有过"):
        services.record_correction(made, corrected_on=None, by=clerk, at=later(1))
    services.record_correction(made, corrected_on=None, by=clerk, at=later(60 * 24))
    assert answer(made).outcome == "no"


def test_deciding_needs_what_was_seen_and_departing_a_reason(clerk):
    made = note(clerk)
    with pytest.raises(services.NotNow, match="看过再决定"):
        services.decide_breach(made, outcome=Outcome.FINE, seen="", by=clerk, at=later(1))
    with pytest.raises(services.NotNow, match="要写明理由"):
        decide(made, Outcome.FINE, clerk)
    with pytest.raises(services.NotNow, match="应当教育"):
        decide(made, Outcome.EDUCATION, clerk, education=" ")
    decide(made, Outcome.FINE, clerk, departure="三天后又卖同一批")
    with pytest.raises(services.NotNow, match="已经决定"):
        decide(made, Outcome.CORRECT, clerk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Breach.objects.filter(pk=made).update(outcome=Outcome.CORRECT)


def test_consistency_is_of_one_s_own_office_and_tells_why(clerk):
    decide(note(clerk), Outcome.EDUCATION, clerk)
    other = note(clerk, trader=code(2))
    decide(other, Outcome.FINE, clerk, departure="有意藏匿")
    decide(
        note(clerk, trader=code(3), corrected=None), Outcome.CORRECT, clerk, departure="没等复查"
    )
    found = selectors.consistency_of(clerk)
    assert [(c.settled, c.following, c.unanswered) for c in found] == [(2, 1, 1)]
    assert found[0].percent == "50.0%" and found[0].departures[0][2] == "有意藏匿"
    assert selectors.consistency_of(officer(Role.CASE_OFFICER, division="330382")) == []


def test_small_cells_and_what_they_could_be_worked_out_from_are_hidden():
    counted = Counter(dict.fromkeys(Outcome, 12))
    assert reads.compare(counted, "").total == 60
    counted[Outcome.FINE] = 9
    hidden = reads.compare(counted, "")
    assert hidden.total is None
    assert dict(hidden.cells)[OUTCOME_LABELS[Outcome.FINE]] is None


def test_another_office_and_another_owner_do_not_reach_it(clerk):
    made = note(clerk)
    for stranger in (officer(Role.CASE_OFFICER, division="330382"), operator(code(9)),
                     officer(Role.CASE_OFFICER, agency="tax")):  # fmt: skip
        with pytest.raises(services.UnknownBreach):
            selectors.get_breach(made, actor=stranger)
    with pytest.raises(services.NotAllowed):
        note(officer(Role.CASE_OFFICER, agency="tax"))


def test_every_item_s_rule_is_there_and_its_values_are_the_rule_s():
    for item in selectors.list_items():
        rule = rulebook.get_rule(item.rule)
        values = {value for value, _ in rule.values} or {"yes", "no"}
        assert {*item.lenient, *item.open} <= values, item.id
        if item.bands:
            assert item.bands.fact in {each.name for each in rule.inputs}
            assert all(edge == round(edge, 2) > Decimal(0) for edge in item.bands.upto)


# pages


def as_(client, actor):
    sign_in(client, Account.objects.get(pk=actor.account_id))
    return client


def test_an_officer_sees_the_answer_and_the_cases_and_then_decides(client, clerk, monkeypatch):
    monkeypatch.setattr("getihu.portal.views.leniency.now", lambda: later(5))
    monkeypatch.setattr("getihu.portal.views.leniency.today", lambda: DAY)
    for where in ("leniency", "supervision"):
        monkeypatch.setattr(f"getihu.portal.views.{where}.trader_name", lambda code: "示例店")
    monkeypatch.setattr("getihu.portal.views.leniency.place_of", lambda code: PLACE)
    monkeypatch.setattr("getihu.supervision.selectors.class_of", lambda code: "class_b")
    desk = as_(client, clerk)

    def step(do, **more):
        return desk.post("/desk/breaches/act/", {"do": do, "once": str(uuid.uuid4())} | more)

    page = desk.get("/desk/breaches/new/", {"item": "farm_produce", "code": SHOP}).content.decode()
    assert "各部门的记录能回答" in page and "能如实说明进货来源吗" in page
    facts = {f"fact-{name}": text for name, text in PRODUCE.items()}
    made = step(
        "note", item="farm_produce", code=SHOP, found_on="2027-01-11", what="一箱菜", **facts
    )
    page = desk.get(made.url).content.decode()
    assert "还不能判定" in page and "不足 10 件" in page and "和规则不一致" not in page
    breach = Breach.objects.get()
    assert (
        step("recheck", id=str(breach.pk), corrected="yes", corrected_on="2027-01-11").status_code
        == 302
    )
    page = desk.get(made.url).content.decode()
    seen = re.search(r'name="seen" value="(\w+)"', page)[1]
    sent = {"id": str(breach.pk), "outcome": "education", "education": "讲了进货查验"}
    assert step("decide", **sent, seen="0" * 64).status_code == 409
    assert step("decide", **sent, seen=seen).status_code == 302
    assert "和规则一致" in desk.get(made.url).content.decode()
    page = desk.get("/desk/breaches/").content.decode()
    assert "1 件按规则办" in page and "不排罚款的名次" in page
    owner = as_(client, operator(SHOP)).get(f"/mine/inspections/{SHOP}/").content.decode()
    assert "未处罚不等于未记录" in owner and "讲了进货查验" in owner


def test_nothing_of_it_is_public(client, clerk):
    made = note(clerk)
    decide(made, Outcome.EDUCATION, clerk)
    assert SHOP not in client.get("/supervision/").content.decode()
    assert client.get(f"/desk/breaches/{made}/").status_code in (302, 403, 404)
