"""A trader who became a company is paid once, whichever way she went: through the register."""

import threading
import time
import uuid
from contextlib import closing

import pytest
from django.db import IntegrityError, connection, transaction

from getihu.accounts.contracts import Role
from getihu.cases import services as cases
from getihu.dataplane import selectors as dataplane
from getihu.entry import ports
from getihu.entry import selectors as entry
from getihu.journeys.services import AwardsFollowSuccession
from getihu.kernel.errors import GetihuError
from getihu.policies import services
from getihu.policies.models import Award, Budget, Discrepancy, SubjectAlias
from getihu.policies.services import planning
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook
from tests.cases.cast import officer as officer_of
from tests.policies.conftest import AT, PROGRAMME, RULE, awarded, operator
from tests.policies.test_award_run import check_money

pytestmark = pytest.mark.django_db
COMPANY, OTHER = "91330302MA2ECR1A55", "92330382MA2JXW6N1X"


@pytest.fixture
def award(city, writer, supervisor):
    """What a trader who trades was awarded first."""
    made = awarded(writer, supervisor).awards.order_by("position")
    return next(a for a in made if registry.get_trader(a.trader_code).status == "active")


def decide(award, matter, form):
    """A case of hers, from her own hand to the registrar's grant."""
    trader, owner = registry.get_trader(award.trader_code), operator(award.trader_code)
    county = trader.county_code
    window = officer_of(f"window {matter}", Role.WINDOW_OFFICER, "amr", county)
    case = cases.open_draft(
        matter, trader.trader_code, place=trader.town_code or county, by=owner, at=AT
    )
    cases.save_draft(case, form, by=owner)
    cases.submit(case, by=owner, at=AT)
    cases.accept(case, by=window, at=AT)
    cases.finish_stage(case, "registration", passed=True, by=window, at=AT)


def end_for(award, company=COMPANY):
    said = {"tax_cleared": True, "decided_on": "2026-11-02", "succeeded_by": company}
    decide(award, "entry.deregistration", said)


def again(award, subject, code):
    values = {f.attname: getattr(award, f.attname) for f in Award._meta.concrete_fields}
    values |= {"id": uuid.uuid4(), "subject": subject, "trader_code": code, "state": "waiting"}
    with transaction.atomic():
        Award.objects.create(**values)


def test_a_direct_change_keeps_the_code_and_the_one_award(award):
    code = award.trader_code
    decide(
        award,
        "growth.conversion",
        {
            "own_will": True,
            "seen_both_sides": True,
            "company_form": "limited",
            "company_name": "温州某某面馆有限公司",
        },
    )
    assert entry.get_entry(code).company_form == "limited"
    assert services.subjects_of([code]) == {code: code}
    with pytest.raises(IntegrityError):
        again(award, code, code)


def test_a_company_in_her_place_is_the_same_subject_by_the_registers_own_filing(award):
    end_for(award)
    assert entry.get_entry(award.trader_code).succeeded_by == COMPANY
    alias = SubjectAlias.objects.get()
    assert (alias.trader_code, alias.subject, alias.by) == (COMPANY, award.subject, None)
    assert "注销登记" in alias.evidence
    for subject in (COMPANY, award.subject):
        with pytest.raises(IntegrityError):
            again(award, subject, COMPANY)
    # And the run of the machine does not list the company a second time.
    assert award.subject in planning.who_have(award.family, award.period)
    assert services.subjects_of([COMPANY])[COMPANY] == award.subject


def test_control_without_the_flow_the_company_is_paid_again(award, monkeypatch):
    left = [each for each in ports.listeners() if not isinstance(each, AwardsFollowSuccession)]
    monkeypatch.setattr(ports, "_listeners", left)
    end_for(award)
    again(award, COMPANY, COMPANY)


def test_a_code_that_is_none_or_her_own_is_refused_before_she_hands_it_in(award):
    for wrong, why in (("91330302MA2ECR1A5X", "18位"), (award.trader_code, "自己的代码")):
        with pytest.raises(GetihuError, match=why), transaction.atomic():
            end_for(award, wrong)
    assert not SubjectAlias.objects.exists()


def test_what_contradicts_an_earlier_note_goes_before_a_person(award, supervisor):
    how = {"evidence": "设立记录", "by": supervisor, "at": AT}
    services.join_codes(COMPANY, OTHER, **how)
    end_for(award)
    assert SubjectAlias.objects.get().subject == OTHER
    found = Discrepancy.objects.get()
    assert found.kind == "succession" and "另一个主体" in found.detail


@pytest.mark.django_db(transaction=True)
def test_a_note_and_an_award_made_at_once_do_not_miss_each_other(award, supervisor):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    is_made = threading.Event()

    def give():
        with closing(connection), transaction.atomic():
            Budget.objects.select_for_update().get(pk=award.budget_id)
            again(award, COMPANY, COMPANY)
            is_made.set()
            time.sleep(1)

    giver = threading.Thread(target=give)
    giver.start()
    assert is_made.wait(20)
    services.join_codes(COMPANY, award.subject, evidence="设立记录", by=supervisor, at=AT)
    giver.join()
    assert Discrepancy.objects.get().kind == "two_codes"


@pytest.mark.parametrize("noted", ["before the dry run", "after the list was made"])
def test_two_codes_of_one_list_get_one_award_and_its_money_once(city, writer, supervisor, noted):
    """Both trade and both are entitled; a person then finds that they are one."""
    first, second = sorted(
        each.trader_code
        for each in rulebook.list_granted(RULE, city.as_of, _snapshot())
        if each.yuan is not None
    )[:2]

    def note():
        services.join_codes(second, first, evidence="设立记录", by=supervisor, at=AT)

    if noted == "before the dry run":
        note()
    dry = services.plan_run(PROGRAMME, by=writer, at=AT)
    services.approve_run(dry.pk, by=supervisor, at=AT)
    run = services.start_run(dry.pk, at=AT)
    if noted == "after the list was made":
        note()
    run = services.allot(run.pk, at=AT)
    assert run.state == "allotted"
    assert run.awards.filter(subject=first).count() == 1
    assert not run.awards.filter(subject=second).exists()
    check_money(Budget.objects.get())


def _snapshot():
    return dataplane.get_published_snapshot().snapshot_id
