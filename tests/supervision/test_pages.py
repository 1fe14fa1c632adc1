"""The pages of supervision, as the public, an owner and an office use them."""

import io
import uuid
import zipfile
from types import SimpleNamespace

import pytest

from getihu.accounts.models import Account
from getihu.audit import services as audit
from getihu.supervision import services, verify_draw
from getihu.supervision.models import Plan, Visit
from getihu.supervision.selectors import burden
from tests.signed_in import sign_in
from tests.supervision.conftest import DICE, drawn, later, make, operator

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
    services.enter_chance(planned, "dice", DICE, witness=witness.account_id, by=chief,
                          at=later(31))  # fmt: skip
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


def test_an_office_plans_draws_and_reports_on_the_pages(client, county, chief, witness, settings):
    desk = as_(client, chief)
    once = lambda: {"once": str(uuid.uuid4())}  # noqa: E731
    sent = {"do": "make", "title": "登记事项抽查", "field": "general", "county": "330302",
            "from": "2027-02-01", "until": "2027-06-30", "chance": "dice",
            "chance_on": "2020-01-01", "where": "三楼", "round": "5000000"}  # fmt: skip
    made = desk.post("/desk/supervision/act/", sent | once())
    plan = Plan.objects.get()
    assert made.url == f"/desk/supervision/{plan.pk}/"
    assert "冻结名录" in desk.get(made.url).content.decode()
    step = lambda do, **more: desk.post(  # noqa: E731
        "/desk/supervision/act/", {"do": do, "id": str(plan.pk)} | more | once()
    )
    assert step("commit").status_code == 302
    page = desk.get(made.url).content.decode()
    assert "见证人" in page and witness.account_id in page
    refused = step("chance", kind="dice", digits="123", witness=witness.account_id)
    assert refused.status_code == 409 and "不能换" in refused.content.decode()
    spaced = " ".join(DICE[i : i + 5] for i in range(0, 30, 5))
    assert step("chance", kind="dice", digits=spaced, witness=witness.account_id).status_code == 302
    assert step("draw").status_code == 302
    page = desk.get("/desk/supervision/").content.decode()
    visit = Visit.objects.first()
    assert visit.trader_code in page and "待做的检查" in page
    report = {"do": "report", "visit": str(visit.pk), "finding": "to_correct", "found": "",
              "correct_until": ""}  # fmt: skip
    assert desk.post("/desk/supervision/act/", report | once()).status_code == 409
    report |= {"finding": "nothing"}
    assert desk.post("/desk/supervision/act/", report | once()).status_code == 302
    visit.refresh_from_db()
    assert (visit.state, visit.finding) == ("done", "nothing")


def test_a_planned_visit_beyond_the_year_is_refused_with_the_article(published, chief, clerk):
    visit = Visit.objects.first()
    asked = {"place": "330302001", "field_id": "general", "cause": "全覆盖", "by": clerk}
    day = later(0).date()
    services.plan_visit(visit.trader_code, kind="coverage", planned_on=day, at=later(50), **asked)
    with pytest.raises(services.TooMany, match="第五十四条"):
        services.plan_visit(visit.trader_code, kind="coverage", planned_on=day, at=later(51),
                            **asked)  # fmt: skip
    services.plan_visit(visit.trader_code, kind="targeted", planned_on=day, at=later(52),
                        **(asked | {"cause": "投诉 2027-0001"}))  # fmt: skip


def test_who_had_her_year_is_not_drawn_again(county, chief, witness, monkeypatch):
    first = make(chief)
    drawn(first, chief, witness)
    seen = set(Visit.objects.filter(risk_class="A").values_list("trader_code", flat=True))
    second = make(chief)
    drawn(second, chief, witness)
    again = Visit.objects.filter(plan_id=second).values_list("trader_code", flat=True)
    full = {c for c in again if c in seen}
    assert seen or full == set()  # class A allows one a year
    assert full == set()


def test_the_two_shares_are_counted_from_logged_draws_alone(published, chief, clerk):
    for visit in Visit.objects.filter(kind="drawn")[:3]:
        services.report_visit(visit.pk, finding="nothing", by=clerk, at=later(60))
    code = Visit.objects.last().trader_code
    made = services.plan_visit(code, place="330302001", kind="targeted", field_id="general",
                               cause="投诉 1", planned_on=later(0).date(), by=clerk, at=later(61))  # fmt: skip
    services.report_visit(made, finding="nothing", by=clerk, at=later(62))
    found = burden.ratios_of(2027)
    assert (found.visits, found.drawn, found.drawn_percent) == (4, 3, "75.0%")
    assert SimpleNamespace(**vars(found)).joint == 0


def test_a_food_result_is_due_in_public_in_twenty_working_days(county, chief, witness, clerk):
    plan = make(chief, field_id="food")
    drawn(plan, chief, witness)
    visit = Visit.objects.first()
    services.report_visit(visit.pk, finding="nothing", by=clerk, at=later(60))
    visit.refresh_from_db()
    assert 20 <= (visit.publish_by - visit.done_on).days <= 45
