"""Credit repair: both clocks, what blocks, one application to two networks, and the day it is told."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from getihu.accounts.models import Account
from getihu.cases import selectors as case_reads
from getihu.cases import services as cases
from getihu.gateways.credit_repair_fake import FakeRepairNetwork
from getihu.notifications.models import Notice
from getihu.rulebook import selectors as rulebook
from getihu.supervision import selectors, services
from getihu.supervision.models import RecordNote, RepairSend
from getihu.supervision.ports import Network, NetworkUnreachable
from getihu.supervision.selectors import repairs
from tests.cases.cast import AT, SHOP, TOWN, make_cast
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db
KEY = "penalties:温市监处罚〔2026〕7号"
FOOD = {
    "decision_no": "温市监处罚〔2026〕7号",
    "decided_on": date(2026, 4, 1),
    "kind": "fine",
    "fine_yuan": Decimal(2000),
    "field": "food",
    "repaired_on": None,
}
MET = {
    "dishonesty_grade": "general",
    "published_on": "2026-04-10",
    "obligations_met": "是",
    "harm_removed": "是",
    "same_breach_again": "否",
    "has_corrected": "是",
    "commitment_published": "是",
    "other_conditions_met": "是",
}
TODAY = AT.date()


@pytest.fixture
def held(monkeypatch):
    """What departments delivered of the shop."""
    rows = {"penalties": [dict(FOOD)], "abnormal_marks": []}
    monkeypatch.setattr(
        repairs.dataplane,
        "list_records",
        lambda dataset, code, as_of: [
            row for row in rows[dataset] if code == SHOP
            and row.get("decided_on", row.get("listed_on")) <= as_of
        ],
    )  # fmt: skip
    return rows


@pytest.fixture
def cast(held, settings, tmp_path):
    settings.REPAIR_FOLDER = str(tmp_path / "repairs")
    return make_cast()


def mark(number="温异1", *, reason="no_report", which="abnormal", listed=date(2026, 10, 12)):
    return {
        "mark_no": number,
        "list": which,
        "reason": reason,
        "listed_on": listed,
        "removed_on": None,
    }


def note(cast, facts, at=AT, key=KEY):
    services.note_record(SHOP, key, place=TOWN, facts=facts, by=cast.superior, at=at)


def view(on=TODAY, key=KEY):
    return selectors.get_credit_record(SHOP, key, on=on)


def clocks(on=TODAY, key=KEY):
    return {clock.network: clock for clock in view(on, key).clocks}


def test_two_clocks_from_two_days(cast):
    """The market's year for food runs from publication, the nation's three months from the document."""
    note(cast, MET)
    found = clocks()
    assert found[Network.MARKET].earliest == date(2027, 4, 10)
    assert found[Network.NATIONAL].earliest == date(2026, 7, 1)
    assert view().both_on == date(2027, 4, 10) and view().earliest == date(2026, 7, 1)


@pytest.mark.parametrize("field", ["food", "other"])
@pytest.mark.parametrize("grade", ["general", "serious"])
def test_the_dates_are_those_on_which_the_rules_turn(cast, held, field, grade):
    held["penalties"][0]["field"] = field
    note(cast, MET | {"dishonesty_grade": grade})
    for network, clock in clocks().items():
        before, on_it = (clocks(clock.earliest + timedelta(days=n))[network] for n in (-1, 0))
        assert (before.outcome, on_it.outcome) == ("no", "yes")
        assert (before.is_over, on_it.is_over) == (False, True)


def test_what_is_not_known_leaves_the_date_unknown(cast):
    found = clocks()
    assert found[Network.MARKET].earliest is None and found[Network.NATIONAL].earliest is None
    assert found[Network.MARKET].outcome == "unknown" and not found[Network.MARKET].blocks


def test_some_penalties_never_end_early_and_a_warning_is_not_published(cast, held):
    held["penalties"][0]["kind"] = "suspension"
    note(cast, MET)
    market = clocks(date(2029, 1, 1))[Network.MARKET]
    assert market.is_never and market.earliest is None and view().both_on is None
    held["penalties"][0]["kind"] = "warning"
    assert view().clocks == () and view().publication == "不公示"


def test_being_on_the_serious_list_blocks_the_penalty(cast, held):
    note(cast, MET)
    held["abnormal_marks"].append(mark(which="serious", reason="serious_breach"))
    assert any("严重违法失信名单" in b for b in clocks(date(2028, 1, 1))[Network.MARKET].blocks)
    serious = view(date(2028, 1, 1), "abnormal_marks:温异1")
    assert serious.clocks[0].outcome == "unknown" and "第三十二条" in serious.clocks[0].note


def apply(cast, *, at=AT, **claims):
    sent = {"obligations_met": True, "harm_removed": True, "commitment": True} | claims
    return services.apply_for_repair(SHOP, KEY, place=TOWN, by=cast.owner, at=at, **sent)


def through(cast, case, at):
    cases.accept(case, by=cast.window, at=at)
    cases.finish_stage(case, "check", passed=True, by=cast.window, at=at)


def test_before_any_clock_is_over_the_form_is_refused_with_the_dates(cast, held):
    held["penalties"][0]["decided_on"] = date(2026, 10, 1)
    note(cast, MET | {"published_on": "2026-10-10"})
    with pytest.raises(services.NotRepairable, match=r"2027-10-10.*2027-01-01"):
        apply(cast)
    assert not case_reads.list_cases(cast.owner, on=TODAY)
    with pytest.raises(services.NotRepairable, match="承诺"):
        held["penalties"][0]["decided_on"] = date(2026, 4, 1)
        apply(cast, commitment=False)


def test_one_form_goes_to_two_networks_each_after_its_own_clock(cast, tmp_path):
    note(cast, MET)
    case = apply(cast)
    through(cast, case, AT)
    sends = {s.network: s for s in RepairSend.objects.all()}
    assert sends["national"].not_before == TODAY and sends["market"].not_before == date(2027, 4, 10)
    national = FakeRepairNetwork(tmp_path / "n", prefix="XYZG")
    market = FakeRepairNetwork(tmp_path / "m", prefix="GSXT")

    def night(day: date) -> int:
        at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
        services.work_repairs(at)
        national.work_through(tmp_path / "repairs" / "national", day)
        market.work_through(tmp_path / "repairs" / "market", day)
        return services.work_repairs(at)

    assert night(TODAY) == 0
    assert RepairSend.objects.get(network="national").receipt == "XYZG000001"
    assert night(TODAY + timedelta(days=3)) == 1
    assert RepairSend.objects.get(network="market").state == "waiting"
    assert night(date(2027, 4, 9)) == 0
    assert RepairSend.objects.get(network="market").state == "waiting"
    assert night(date(2027, 4, 10)) == 1  # recognised at once: the other network has concluded
    done = RepairSend.objects.get(network="market")
    assert (done.state, done.recognises["receipt"]) == ("granted", "XYZG000001")
    assert night(date(2027, 4, 11)) == 0
    assert Notice.objects.filter(template_id="credit.repaired", channel="in_app").count() == 2


def test_the_check_cannot_pass_on_what_the_office_has_not_noted(cast):
    case = apply(cast)
    cases.accept(case, by=cast.window, at=AT)
    with pytest.raises(services.NotNow, match="要核的填完"):
        cases.finish_stage(case, "check", passed=True, by=cast.window, at=AT)
    note(cast, MET)
    cases.finish_stage(case, "check", passed=True, by=cast.window, at=AT)
    assert RepairSend.objects.count() == 2


def test_while_it_is_under_way_nobody_applies_again(cast):
    note(cast, MET)
    through(cast, apply(cast), AT)
    with pytest.raises(services.NotRepairable, match="正在修复"):
        apply(cast)


def test_a_network_that_does_not_answer_is_asked_again(cast, monkeypatch):
    note(cast, MET)
    through(cast, apply(cast), AT)

    class Down:
        def apply(self, request):
            raise NetworkUnreachable("断网")

    with monkeypatch.context() as patch:
        patch.setattr("getihu.supervision.services.repairing._network", lambda name: Down())
        services.work_repairs(AT)
    assert RepairSend.objects.get(network="national").state == "waiting"
    services.work_repairs(AT)
    assert RepairSend.objects.get(network="national").state == "sent"


def test_she_is_told_on_the_day_it_becomes_possible_and_once(cast):
    note(cast, MET, at=datetime(2026, 5, 4, 2, tzinfo=UTC))
    assert RecordNote.objects.get().next_on == date(2026, 7, 1)
    told = Notice.objects.filter(template_id="credit.repairable", channel="in_app")
    services.work_repairs(datetime(2026, 6, 30, 2, tzinfo=UTC))
    assert not told.exists()
    for _ in range(2):
        services.work_repairs(datetime(2026, 7, 1, 2, tzinfo=UTC))
    assert (told.count() == 1 and "2026-07-01" in told.get().text) or "7月1日" in told.get().text
    assert selectors.record_is_open(f"{SHOP}|{KEY}")


def test_a_mark_is_restored_within_five_working_days(cast, held):
    held["abnormal_marks"].append(mark())
    key = "abnormal_marks:温异1"
    with pytest.raises(services.NotRepairable, match="年报已补报"):
        services.ask_restoration(SHOP, key, mended=False, place=TOWN, by=cast.owner, at=AT)
    case = services.ask_restoration(SHOP, key, mended=True, place=TOWN, by=cast.owner, at=AT)
    cases.accept(case, by=cast.window, at=AT)
    shown = case_reads.get_case(case, actor=cast.owner, on=TODAY)
    clock = next(s.clock for s in shown.stages if s.stage_id == "restore")
    assert (clock.term_id, clock.reading.due.on) == ("abnormal.restoration", date(2026, 11, 9))
    cases.finish_stage(case, "restore", passed=True, by=cast.window, at=AT)
    assert RepairSend.objects.get().network == "national"  # the other network recognises it


def test_an_objection_marks_the_record_until_it_has_ended(cast, held):
    case = services.object_to_record(SHOP, KEY, why="不是我店", place=TOWN, by=cast.owner, at=AT)
    assert view().is_contested
    cases.accept(case, by=cast.window, at=AT)
    cases.finish_stage(
        case,
        "check",
        passed=False,
        reason="核对决定书，没有错",
        article="条例第三十一条",
        by=cast.window,
        at=AT,
    )
    assert not view().is_contested
    held["abnormal_marks"].append(mark(listed=TODAY - timedelta(days=31)))
    with pytest.raises(services.NotNow, match="30 日内"):
        services.object_to_record(
            SHOP, "abnormal_marks:温异1", why="找得到我", place=TOWN, by=cast.owner, at=AT
        )


def test_only_an_office_of_the_place_notes_and_only_what_the_rules_ask(cast):
    with pytest.raises(services.NotAllowed):
        services.note_record(SHOP, KEY, place=TOWN, facts=MET, by=cast.elsewhere, at=AT)
    with pytest.raises(services.UnknownRecord):
        note(cast, MET, key="penalties:没有")


def test_every_rule_of_repair_asks_what_the_page_asks():
    asked = {i.name for r in repairs.RULES for i in rulebook.get_rule(r).inputs}
    assert set(MET) <= asked


# pages


def test_an_owner_sees_both_networks_and_applies_on_her_phone(client, cast, monkeypatch):
    note(cast, MET)
    for name in ("now", "today", "place_of", "trader_name"):
        found = {"now": lambda: AT, "today": lambda: TODAY, "place_of": lambda code: TOWN}.get(
            name, lambda code: "示例店"
        )
        monkeypatch.setattr(f"getihu.portal.views.repairs.{name}", found)
    sign_in(client, Account.objects.get(pk=cast.owner.account_id))
    page = client.get(f"/mine/credit/{SHOP}/").content.decode()
    assert "信用中国：期限已满" in page and "2027年4月10日" in page
    sent = {"do": "apply", "record": KEY, "once": str(uuid.uuid4()), "commitment": "yes"}
    claims = {"obligations_met": "yes", "harm_removed": "yes"}
    done = client.post(f"/mine/credit/{SHOP}/say/", sent | claims)
    assert done.status_code == 302 and done.url.startswith("/mine/cases/")
    sign_in(client, Account.objects.get(pk=cast.superior.account_id))
    page = client.get("/desk/credit/", {"code": SHOP}).content.decode()
    assert "失信信息是轻微、一般还是严重" in page and KEY in page
    told = {
        "code": SHOP,
        "record": KEY,
        "once": str(uuid.uuid4()),
        "fact-dishonesty_grade": "minor",
    }
    assert client.post("/desk/credit/note/", told).status_code == 302
    assert RecordNote.objects.get().facts == {"dishonesty_grade": "minor"}
