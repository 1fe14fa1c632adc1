"""The register folded from filings, and what it cannot take. Pure."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from getihu.dataplane.selectors import fact_catalogue
from getihu.entry.filings import effects
from getihu.entry.filings.check import check, is_late
from getihu.entry.filings.effects import FATES, effects_of, rehearsed
from getihu.entry.filings.kinds import UnknownKind, filing_kinds, get_kind, read_content
from getihu.entry.filings.register import FiledFact, fold
from getihu.entry.filings.strands import strand_rows, stranded_permits
from getihu.kernel.errors import InvalidInput

CODE = "92330302MA2ECR1A0J"
TODAY = date(2026, 11, 24)
OPENED = FiledFact(
    1,
    "opening",
    date(2022, 3, 1),
    {"premises": "车站大道1号", "scope": "面食", "form": "personal", "county_code": "330302"},
)


def rest(number: int, from_on: date, until: date) -> FiledFact:
    said = {
        "until": until.isoformat(),
        "cause": "other",
        "service_address": "车站大道2号",
        "staff_agreed": True,
    }
    return FiledFact(number, "suspension", from_on, said)


def objections(kind, content, *filings, on=TODAY, today=TODAY):
    found = get_kind(kind)
    return check(CODE, [OPENED, *filings], found, read_content(found, content), on, today)


def said(kind, content, *filings, on=TODAY, today=TODAY):
    return [each.what for each in objections(kind, content, *filings, on=on, today=today)]


def suspend(until: str, **more):
    base = {"until": until, "cause": "other", "service_address": "某路1号", "staff_agreed": True}
    return base | more


def test_a_suspension_that_ran_out_has_ended_by_itself():
    entry = fold(CODE, [OPENED, rest(2, date(2026, 1, 1), date(2026, 6, 30))])
    assert entry.status_on(date(2025, 12, 31)) == "active"
    assert entry.status_on(date(2026, 1, 1)) == "suspended"
    assert entry.status_on(date(2026, 6, 30)) == "suspended"
    assert (
        entry.status_on(date(2026, 7, 1)) == "active"
    )  # 细则 第四十二条第三款, nobody does anything


def test_resuming_early_ends_it_the_day_before():
    back = FiledFact(3, "resumption", date(2026, 3, 10), {})
    entry = fold(CODE, [OPENED, rest(2, date(2026, 1, 1), date(2026, 6, 30)), back])
    assert entry.status_on(date(2026, 3, 9)) == "suspended"
    assert entry.status_on(date(2026, 3, 10)) == "active"


@pytest.mark.parametrize(
    ("until", "stands"),
    [("2029-11-23", True), ("2029-11-24", False)],  # three years from 2026-11-24
)
def test_three_years_and_not_a_day_more(until, stands):
    found = said("suspension", suspend(until))
    assert (found == []) is stands


def test_earlier_suspensions_count_into_the_three_years():
    used = rest(2, date(2024, 1, 1), date(2024, 12, 31))  # 366 days
    assert said("suspension", suspend("2028-11-22"), used) == []
    assert said("suspension", suspend("2028-11-23"), used) == ["累计歇业超过3年"]


def test_an_extension_comes_in_the_last_thirty_days():
    now = rest(2, date(2026, 1, 1), date(2026, 12, 31))
    until = {"until": "2027-06-30"}
    assert said("suspension_extension", until, now, on=TODAY, today=TODAY) == [
        "还没有到延长的时候（届满前30日内）"
    ]
    day = date(2026, 12, 1)
    assert said("suspension_extension", until, now, on=day, today=day) == []
    wider = FiledFact(3, "suspension_extension", day, until)
    entry = fold(CODE, [OPENED, now, wider])
    assert entry.status_on(date(2027, 6, 30)) == "suspended"
    assert entry.status_on(date(2027, 7, 1)) == "active"


def test_g23_two_years_and_two_more_are_refused():
    now = rest(2, date(2024, 12, 1), date(2026, 11, 30))
    found = objections("suspension_extension", {"until": "2028-11-30"}, now)
    assert [each.what for each in found] == ["累计歇业超过3年"]
    assert "最晚到 2027-11-30" in found[0].way


def test_overlapping_suspensions_are_refused():
    later = rest(2, date(2026, 12, 10), date(2027, 1, 31))
    assert said("suspension", suspend("2026-12-31"), later) == ["和已经备案的另一段歇业重叠"]
    now = rest(2, date(2026, 11, 1), date(2027, 1, 31))
    assert said("suspension", suspend("2027-03-31"), now) == ["登记状态是歇业，不能办歇业备案"]


def test_it_is_filed_before_it_begins_and_after_talking_with_the_staff():
    on = TODAY - timedelta(days=1)
    assert "歇业要在歇业前备案" in said("suspension", suspend("2027-01-31"), on=on)
    assert said("suspension", suspend("2027-01-31", staff_agreed=False)) == ["还没有和职工协商"]


def test_the_annual_report_is_still_due_while_suspended_and_once():
    now = rest(2, date(2026, 1, 1), date(2026, 12, 31))
    assert said("annual_report", {"year": 2025}, now) == []
    done = FiledFact(3, "annual_report", date(2026, 3, 1), {"year": 2025})
    assert said("annual_report", {"year": 2025}, now, done) == ["2025 年的年报已经报过"]
    assert said("annual_report", {"year": 2026}) == ["2026 年还没有过完"]
    assert said("annual_report", {"year": 2021}) == ["2021 年还没有成立"]


def test_nothing_follows_an_end():
    end = FiledFact(2, "deregistration", date(2026, 11, 1), {"tax_cleared": True})
    for kind, content in (("change", {"name": "新名"}), ("annual_report", {"year": 2025})):
        assert "登记状态是注销" in said(kind, content, end)[0]


def test_an_end_cannot_come_before_what_was_filed_later():
    moved = FiledFact(2, "change", date(2026, 11, 10), {"name": "新名"})
    on = date(2026, 11, 1)
    found = said("deregistration", {"tax_cleared": True}, moved, on=on)
    assert found == ["2026-11-10 起还有一次登记，终止不能早于它"]


def test_a_change_of_nothing_and_a_move_within_the_county_are_told():
    assert said("change", {"scope": "面食"}) == ["写的和登记的一样，没有变更"]
    content = {"county_code": "330302", "premises": "别处"}
    assert said("relocation", content) == ["新的地方在同一个登记机关辖区"]


def test_an_annulled_filing_leaves_no_trace_in_the_register_and_stays_on_record():
    filings = [
        OPENED,
        FiledFact(2, "change", date(2026, 5, 1), {"name": "新名"}),
        FiledFact(3, "annulment", date(2026, 6, 1), {"of": 2, "reason": "冒名"}),
    ]
    assert fold(CODE, filings).name is None
    assert fold(CODE, filings).filings == 3
    assert said("annulment", {"of": 2, "reason": "再撤"}, *filings[1:]) == ["这一次登记已经撤销"]
    gone = FiledFact(2, "annulment", date(2026, 6, 1), {"of": 1, "reason": "虚假材料"})
    entry = fold(CODE, [OPENED, gone])
    assert (entry.status_on(date(2026, 5, 31)), entry.status_on(TODAY)) == ("active", "annulled")


def test_late_is_noted_and_taken():
    kind = get_kind("change")
    assert not is_late(kind, date(2026, 10, 25), TODAY)  # the thirtieth day
    assert is_late(kind, date(2026, 10, 24), TODAY)
    assert not is_late(get_kind("annual_report"), date(2020, 1, 1), TODAY)


def test_answers_are_read_or_named():
    with pytest.raises(InvalidInput) as caught:
        read_content(
            get_kind("suspension"), {"until": "2026-13-01", "cause": "没生意", "untill": 1}
        )
    told = str(caught.value)
    for words in (
        "歇业到哪一天",
        "从自然灾害",
        "是不是想写 until？",
        "法律文书送达地址",
        "已与职工协商",
    ):
        assert words in told
    with pytest.raises(UnknownKind, match="是不是想写 suspension"):
        get_kind("suspention")


def test_every_kind_names_its_law():
    for kind in filing_kinds().values():
        assert "第" in kind.law and "条" in kind.law, kind.id


KINDS = st.sampled_from(["change", "suspension", "resumption", "annual_report", "deregistration"])


def _tried(kind, day):
    if kind == "suspension":
        return suspend((day + timedelta(days=60)).isoformat())
    contents = {"annual_report": {"year": day.year - 1}, "deregistration": {"tax_cleared": True}}
    return contents.get(kind, {"name": f"名{day.toordinal()}"} if kind == "change" else {})


@given(st.lists(st.tuples(KINDS, st.integers(0, 40)), max_size=12))
def test_whatever_is_filed_the_order_of_arrival_and_the_day_agree(steps):
    """What the checks let through folds to one state a day, whether read early or late."""
    filings, day = [OPENED], date(2024, 1, 1)
    for kind_id, ahead in steps:
        day += timedelta(days=ahead)
        kind = get_kind(kind_id)
        content = read_content(kind, _tried(kind_id, day))
        if not check(CODE, filings, kind, content, day, day):
            filings.append(FiledFact(len(filings) + 1, kind_id, day, content))
    whole = fold(CODE, filings)
    assert fold(CODE, list(reversed(filings))) == whole
    spans = sorted((s.from_on, s.last_day) for s in whole.suspensions)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(spans))
    for number in range(len(filings)):
        at = filings[number].effective_on
        assert fold(CODE, filings, until=at).status_on(at) == whole.status_on(at)


def test_effects_are_told_for_this_shop_and_what_is_not_known_says_so():
    shop = {"holds_food_permit": True, "holds_tobacco_permit": False, "loans_outstanding": 0}
    told = {each.about: each for each in effects_of("operator_change", shop)}
    assert told["食品经营许可"].fate == "first" and told["食品经营许可"].is_certain
    assert "烟草专卖零售许可" not in told and "贷款" not in told
    assert not told["职工"].is_certain  # nobody delivered how many are insured
    fates = [each.fate for each in effects_of("deregistration", {})]
    assert fates == sorted(fates, key=list(FATES).index)


def test_every_effect_rests_on_a_fact_that_exists_and_a_source():
    catalogue = fact_catalogue()
    for kind in rehearsed():
        assert get_kind(kind)
        for each in effects._effects()[kind]:
            assert each["source"] and each["fate"] in FATES, each
            assert each.get("when") is None or each["when"] in catalogue, each


def test_a_late_report_and_a_late_deregistration_are_noted():
    report, end = get_kind("annual_report"), get_kind("deregistration")
    assert not is_late(report, TODAY, date(2026, 6, 30), {"year": 2025})
    assert is_late(report, TODAY, date(2026, 7, 1), {"year": 2025})
    assert not is_late(end, TODAY, TODAY, {"decided_on": "2026-10-25"})  # the thirtieth day
    assert is_late(end, TODAY, TODAY, {"decided_on": "2026-10-24"})


@pytest.mark.parametrize("kind", ["deregistration", "simple_deregistration"])
def test_who_sold_prepaid_cards_gives_notice_thirty_days_before(kind):
    base = {"tax_cleared": True} if kind == "deregistration" else {}
    assert said(kind, base | {"prepaid": "none"}) == []
    assert said(kind, base | {"prepaid": "noticed"}) == ["没有写哪一天公告的"]
    late = base | {"prepaid": "noticed", "noticed_on": "2026-10-26"}
    (found,) = objections(kind, late)
    assert found.what == "预付卡的公告还不满30日" and "2026-11-25 起可以办" in found.way
    assert said(kind, late, today=date(2026, 11, 25), on=date(2026, 11, 25)) == []


def test_a_service_address_stands_for_the_premises_while_it_rests_and_no_longer():
    resting = rest(2, date(2026, 1, 1), date(2026, 6, 30))
    gone = FiledFact(
        2, "suspension", resting.effective_on, {**resting.content, "replaces_premises": True}
    )
    entry = fold(CODE, [OPENED, gone])
    assert entry.address_on(date(2026, 3, 1)) == "车站大道2号"
    assert fold(CODE, [OPENED, resting]).address_on(date(2026, 3, 1)) == "车站大道1号"
    assert entry.county_code == "330302"  # 细则 第四十三条: the registrar stays the same
    assert not entry.owes_premises_on(date(2026, 6, 30))
    assert entry.owes_premises_on(date(2026, 7, 1))  # 细则 第四十二条第二款
    moved = FiledFact(3, "change", date(2026, 7, 5), {"premises": "车站大道3号"})
    assert not fold(CODE, [OPENED, gone, moved]).owes_premises_on(date(2026, 7, 6))


HOLDS = {"holds_food_permit": True, "holds_tobacco_permit": False}


def stranded(kind, content, facts=HOLDS):
    return [each.what for each in stranded_permits(kind, content, facts)]


def test_a_change_that_strands_a_permit_is_explained_with_the_way_out():
    (found,) = stranded_permits("change", {"premises": "别处1号"}, HOLDS)
    assert "落下" in found.what and "重新申请" in found.way and "第" in found.article
    assert stranded("change", {"scope": "五金零售"}) == [
        "会把食品经营许可落下：经营范围里没有食品了，许可失去依据"
    ]
    assert stranded("change", {"scope": "小吃服务、五金零售"}) == []
    assert stranded("change", {"name": "新名"}) == []
    assert stranded("relocation", {"premises": "瑞安1号", "county_code": "330381"}) != []


def test_what_becomes_of_the_permit_settles_it_and_what_is_not_known_stands_against_nothing():
    assert stranded("change", {"premises": "别处1号", "permit_plan": "applied"}) == []
    assert stranded("change", {"premises": "别处1号"}, {}) == []
    assert stranded("change", {"premises": "别处1号"}, {"holds_food_permit": None}) == []


def test_every_strand_rests_on_a_fact_an_item_and_a_source():
    for row in strand_rows():
        assert row["fact"] in fact_catalogue() and row["source"] and row["way"]
        assert set(row["items"]) <= set(get_kind(row["kind"]).items)
