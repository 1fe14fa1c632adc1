"""The pages of supervision, as the public, an owner and an office use them."""

import io
import uuid
import zipfile
from datetime import UTC, datetime

import pytest

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.audit import services as audit
from getihu.supervision import selectors, services, verify_draw
from getihu.supervision.contracts import Finding, VisitKind
from getihu.supervision.models import Plan, Visit
from getihu.supervision.selectors import burden
from tests.growth.conftest import officer
from tests.signed_in import sign_in
from tests.supervision.conftest import AT, DICE, drawn, enter, later, make, operator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def classes(monkeypatch):
    monkeypatch.setattr(burden, "class_of", lambda code: "class_b")
    monkeypatch.setattr("getihu.supervision.selectors.class_of", lambda code: "class_b")


def as_(client, actor):
    sign_in(client, Account.objects.get(pk=actor.account_id))
    return client


@pytest.fixture
def published(planned, chief, witness) -> Plan:
    drawn(planned, chief, witness)
    audit.sequence(later(40))
    return Plan.objects.get(pk=planned)


def test_the_public_sees_the_list_the_draw_and_takes_it_home(client, published):
    page = client.get("/supervision/").content.decode()
    assert published.title in page and "双随机占比" in page
    page = client.get(f"/supervision/draws/{published.pk}/").content.decode()
    assert published.commitment_sha256 in page and DICE in page and "重算" in page
    got = client.get(f"/supervision/draws/{published.pk}/dossier.zip")
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        verify_draw.verify({n: archive.read(n).decode() for n in archive.namelist()})
    again = client.get(f"/supervision/draws/{published.pk}/dossier.zip").content
    assert again == got.content
    program = client.get("/supervision/verify_draw.py").content.decode()
    assert "def verify(" in program


def test_before_it_is_published_the_page_names_nobody(client, planned, chief, witness):
    assert client.get(f"/supervision/draws/{planned}/").status_code == 404
    services.commit_plan(planned, by=chief, at=later(1))
    enter(planned, chief, witness, 31)
    services.draw_plan(planned, by=chief, at=later(32))
    page = client.get(f"/supervision/draws/{planned}/").content.decode()
    assert not any(code in page for code in Visit.objects.values_list("trader_code", flat=True))
    assert client.get(f"/supervision/draws/{planned}/result.csv").status_code == 404
    assert client.get(f"/supervision/draws/{planned}/frame.csv").status_code == 200


def test_a_check_code_says_who_comes_and_why(client, published):
    visit = Visit.objects.first()
    page = client.get("/supervision/check/", {"code": visit.code.lower()}).content.decode()
    assert visit.team[0] in page and "登记事项" in page and published.number in page
    assert "没有这个检查码" in client.get("/supervision/check/?code=AAAA").content.decode()


def test_an_owner_sees_her_checks_and_what_the_year_allows(client, published):
    visit = Visit.objects.first()
    owner = as_(client, operator(visit.trader_code))
    page = owner.get(f"/mine/inspections/{visit.trader_code}/?year=2027").content.decode()
    assert "双随机抽查" in page and "计划检查最多还有 1 次" in page
    assert f"/supervision/draws/{published.pk}/" in page


def test_an_office_plans_draws_and_reports_on_the_pages(
    client, county, chief, witness, monkeypatch
):
    desk = as_(client, chief)
    clock = {"now": AT}
    monkeypatch.setattr("getihu.portal.views.supervision.now", lambda: clock["now"])

    def step(do: str, **more: str):
        sent = {"do": do, "once": str(uuid.uuid4())} | more
        return desk.post("/desk/supervision/act/", sent)

    sent = {"title": "登记事项抽查", "field": "general", "county": "330302", "where": "三楼",
            "from": "2027-02-01", "until": "2027-06-30", "chance": "dice",
            "chance_on": "2027-01-12"}  # fmt: skip
    assert step("make", **(sent | {"chance": "clock"})).status_code == 422
    assert step("make", **(sent | {"county": "330399"})).status_code in (403, 409)
    made = step("make", **sent)
    plan = Plan.objects.get()
    assert made.url == f"/desk/supervision/{plan.pk}/"
    assert "冻结名录" in desk.get(made.url).content.decode()
    assert step("commit", id=str(plan.pk)).status_code == 302
    assert "还没到约定的时间" in desk.get(made.url).content.decode()
    clock["now"] = datetime(2027, 1, 12, 2, tzinfo=UTC)  # ten in the morning in Wenzhou
    page = desk.get(made.url).content.decode()
    assert "见证人" in page and witness.account_id in page and "25 位" in page
    told = {"id": str(plan.pk), "witness": witness.account_id}
    refused = step("chance", digits="123", **told)
    assert refused.status_code == 409 and "正好 25 位" in refused.content.decode()
    assert step("chance", **(told | {"digits": DICE, "witness": ""})).status_code == 409
    spaced = " ".join(DICE[i : i + 5] for i in range(0, 25, 5))
    assert step("chance", digits=spaced, **told).status_code == 302
    assert step("draw", id=str(plan.pk)).status_code == 302
    page = desk.get("/desk/supervision/").content.decode()
    visit = Visit.objects.first()
    assert visit.trader_code in page and "待做的检查" in page
    report = {"visit": str(visit.pk), "finding": "to_correct", "found": "", "correct_until": ""}
    assert step("report", **report).status_code == 409
    assert step("report", **(report | {"finding": ""})).status_code == 422
    assert step("report", **(report | {"finding": "nothing"})).status_code == 302
    visit.refresh_from_db()
    assert (visit.state, visit.finding) == ("done", "nothing")


def test_after_the_agreed_hours_the_page_asks_for_the_beacon(
    client, planned, chief, witness, monkeypatch
):
    services.commit_plan(planned, by=chief, at=later(1))
    monkeypatch.setattr("getihu.portal.views.supervision.now", lambda: later(121))
    page = as_(client, chief).get(f"/desk/supervision/{planned}/").content.decode()
    assert "按承诺书改用drand" in page and "64 位" in page


def test_her_page_tells_nothing_of_a_draw_before_it_is_published(client, planned, chief, witness):
    services.commit_plan(planned, by=chief, at=later(1))
    enter(planned, chief, witness, 31)
    services.draw_plan(planned, by=chief, at=later(32))
    code = Visit.objects.first().trader_code
    owner = as_(client, operator(code))
    before = owner.get(f"/mine/inspections/{code}/?year=2027").content.decode()
    assert "今年计划检查 0 次" in before and "双随机抽查</span>" not in before
    services.publish_plan(planned, by=chief, at=later(33))
    after = owner.get(f"/mine/inspections/{code}/?year=2027").content.decode()
    assert "今年计划检查 1 次" in after


def test_another_department_s_visits_are_not_on_the_desk(client, published):
    tax = officer(Role.CASE_OFFICER, agency="tax")
    page = as_(client, tax).get("/desk/supervision/").content.decode()
    assert not any(code in page for code in Visit.objects.values_list("trader_code", flat=True))


def test_a_planned_visit_beyond_the_year_is_refused_with_the_article(published, chief, clerk):
    visit = Visit.objects.first()
    asked = {"place": "330302001", "field_id": "general", "cause": "全覆盖", "by": clerk}
    day = later(0).date()
    services.plan_visit(
        visit.trader_code, kind=VisitKind.COVERAGE, planned_on=day, at=later(50), **asked
    )
    with pytest.raises(services.TooMany, match="第五十四条"):
        services.plan_visit(visit.trader_code, kind=VisitKind.COVERAGE, planned_on=day, at=later(51),
                            **asked)  # fmt: skip
    services.plan_visit(visit.trader_code, kind=VisitKind.TARGETED, planned_on=day, at=later(52),
                        **(asked | {"cause": "投诉 2027-0001"}))  # fmt: skip


def test_who_had_her_year_is_left_out_of_the_next_draw(county, chief, witness, clerk):
    """Class A allows one planned visit a year, however it was planned and whoever drew it."""
    drawn(make(chief), chief, witness)
    seen = set(Visit.objects.filter(plan__year=2027).values_list("trader_code", flat=True)) & {
        row["trader_code"] for row in county if row["outcome"] == "class_a"
    }
    assert seen
    again = make(chief)
    services.commit_plan(again, by=chief, at=later(1))
    excluded = selectors.find_file(Plan.objects.get(pk=again), "excluded.csv")
    assert seen <= {
        line.split(",")[0] for line in excluded.splitlines() if line.endswith(",year_is_full")
    }


def test_the_two_shares_are_counted_from_logged_draws_alone(published, chief, clerk):
    for visit in Visit.objects.filter(kind="drawn")[:3]:
        services.report_visit(visit.pk, finding=Finding.NOTHING, by=clerk, at=later(60))
    code = Visit.objects.last().trader_code
    made = services.plan_visit(code, place="330302001", kind=VisitKind.TARGETED, field_id="general",
                               cause="投诉 1", planned_on=later(0).date(), by=clerk, at=later(61))  # fmt: skip
    services.report_visit(made, finding=Finding.NOTHING, by=clerk, at=later(62))
    found = selectors.ratios_of(2027)
    assert (found.visits, found.drawn, found.drawn_percent) == (4, 3, "75.0%")
    assert found.joint == 0


def test_a_food_result_is_due_in_public_in_twenty_working_days(county, chief, witness, clerk):
    plan = make(chief, field_id="food")
    drawn(plan, chief, witness)
    visit = Visit.objects.first()
    services.report_visit(visit.pk, finding=Finding.NOTHING, by=clerk, at=later(60))
    visit.refresh_from_db()
    assert 20 <= (visit.publish_by - visit.done_on).days <= 45
