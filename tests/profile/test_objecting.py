"""A datum is contested, corrected by the department's next delivery, and decided anew."""

import json
import shutil
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import override_settings

from getihu.cases import selectors as case_reads
from getihu.cases import services as cases
from getihu.dataplane import services as ingest
from getihu.gateways.demo_city.corrections import write_tax_correction
from getihu.growth import selectors, services
from getihu.growth.models import Objection
from getihu.notifications.models import Notice
from getihu.rulebook import services as decisions
from tests.cases.cast import AT, days
from tests.real_city import SEED

pytestmark = pytest.mark.django_db
FACT = "annual_sales_yuan"


@pytest.fixture
def contested(shop):
    trader, owner = shop
    return services.object_to_fact(
        trader.trader_code,
        FACT,
        claimed="1200000",
        why="少写了一个零",
        place=trader.town_code,
        by=owner,
        at=AT,
    )


@pytest.fixture
def tax(tax_officer):
    return tax_officer


def agree(case, tax, at=None):
    cases.accept(case, by=tax, at=at or days(1))
    cases.finish_stage(case, "check", passed=True, by=tax, at=at or days(2))


def test_it_is_a_case_of_the_department_with_the_law_s_days(tax, shop, contested):
    view = case_reads.get_case(contested, actor=tax, on=AT.date())
    assert (view.agency, view.matter_id) == ("tax", "growth.objection_tax")
    cases.accept(contested, by=tax, at=AT)
    view = case_reads.get_case(contested, actor=tax, on=AT.date())
    clock = next(c for c in view.clocks if c.term_id == "credit.objection")
    assert "第三十一条" in clock.source
    assert clock.reading.due.on == (AT + timedelta(days=7)).date()  # five working days


def test_while_it_runs_the_datum_is_marked_contested(tax, shop, contested):
    trader, owner = shop
    profile = selectors.get_profile(trader.trader_code, actor=owner)
    facts = {f.name: f for g in profile.groups for f in g.facts}
    assert facts[FACT].objection.state == "open"
    assert facts["annual_employees"].objection is None
    with pytest.raises(services.NotContestable):
        services.object_to_fact(
            trader.trader_code, FACT, claimed="1", why="", place=trader.town_code, by=owner, at=AT
        )


def test_refused_with_reasons_it_is_contested_no_more(tax, shop, contested):
    cases.accept(contested, by=tax, at=AT)
    cases.finish_stage(
        contested,
        "check",
        passed=False,
        reason="申报表上就是这个数",
        article="浙江省公共信用信息管理条例 第三十条",
        by=tax,
        at=days(2),
    )
    assert Objection.objects.get().state == "refused"
    assert selectors.contested_facts(shop[0].trader_code) == {}


def test_withdrawn_by_her_it_ends(tax, shop, contested):
    cases.withdraw(contested, by=shop[1], at=days(1))
    assert Objection.objects.get().state == "withdrawn"


def test_agreed_it_waits_for_the_next_delivery(tax, shop, contested):
    agree(contested, tax)
    assert services.follow_corrections(days(3)) == 0
    assert Objection.objects.get().state == "promised"


def test_the_next_delivery_corrects_it_and_the_old_decision_replays(
    tax, shop, contested, real_city, tmp_path
):
    agree(contested, tax)
    trader, _owner = shop
    copy = tmp_path / "city"
    shutil.copytree(real_city.folder, copy)
    keys = copy / "keys" / "departments"
    with override_settings(DATA_DIR=copy, DEPARTMENT_KEYS_DIR=keys):
        inbox = tmp_path / "inbox"
        write_tax_correction(
            inbox, SEED, trader.trader_code, Decimal("1200000"), on=real_city.as_of, at=days(3)
        )
        report = ingest.ingest_directory(inbox, at=days(3))
        assert [d.status for d in report.deliveries] == ["published"], report.deliveries
        assert services.follow_corrections(days(4)) == 1
        assert services.follow_corrections(days(4)) == 0
        row = Objection.objects.get()
        assert (row.state, row.shown_after) == ("corrected", "1,200,000.00 元")
        assert Notice.objects.filter(obligation=f"objection:{contested}").exists()
        old = decisions.replay(bytes(row.slip))
        assert json.loads(bytes(row.slip))["snapshot_id"] == row.snapshot_id
        assert old.slip.sha256 == row.slip_sha256 and old.is_in_log
        view = selectors.list_objections(trader.trader_code)[0]
        assert view.changes == () or view.changes[0][1] != view.changes[0][2]


def test_the_database_keeps_what_was_contested(tax, shop, contested):
    for change in ({"shown": "别的"}, {"slip": b"{}"}, {"state": "corrected"}):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            Objection.objects.update(**change)


def test_who_does_not_want_to_be_typed_by_a_machine_alone_gets_a_person(shop, window):
    trader, owner = shop
    case = cases.open_draft(
        "growth.human_profile", trader.trader_code, place=trader.town_code, by=owner, at=AT
    )
    cases.save_draft(case, {"subject": "type"}, by=owner)
    cases.submit(case, by=owner, at=AT)
    cases.accept(case, by=window, at=AT)
    cases.finish_stage(case, "review", passed=True, by=window, at=days(1))
    assert selectors.get_profile(trader.trader_code, actor=owner).human
    services.end_human_profile(trader.trader_code, by=owner, at=days(2))
    assert not selectors.get_profile(trader.trader_code, actor=owner).human
