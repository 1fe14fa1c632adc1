"""Money of applications and of corrections goes the same way as any award's, once for a subject."""

import json
import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from getihu.accounts.contracts import Role
from getihu.audit.models import Event
from getihu.cases.ports import CaseFile
from getihu.policies import selectors, services
from getihu.policies.contracts import yuan_of
from getihu.policies.models import Adjustment, Award, AwardRun, Budget, Discrepancy, SubjectAlias
from getihu.policies.services import adjusting, granting, rechecking
from getihu.policies.services.granting import GrantsArePaid
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rules
from tests.policies.conftest import AT, awarded, confirmed, officer, operator
from tests.policies.test_after_payment import bank, paid, release
from tests.policies.test_award_run import check_money

__all__ = ["paid"]

pytestmark = pytest.mark.django_db
FEE = "policies.demo_training_fee_2026"
LATER = "92330302MA2ABC001M"


@pytest.fixture
def granted(city, supervisor, monkeypatch):
    """What a grant of one application for the training fee does; with what she answered."""
    reviewed = type("Reviewed", (), {"is_answered": True})()
    from getihu.policies.services import planning

    monkeypatch.setattr(planning, "review_rule", lambda *_, **__: reviewed)
    by = officer(Role.CASE_OFFICER)

    def grant(trader_code: str, yuan: str = "600", number: int = 1) -> CaseFile:
        form = {"policy": FEE, "version": "1", "answers": json.dumps({"training_fee_yuan": yuan})}
        case = CaseFile(
            uuid.UUID(int=number), f"示例{number}", "policies.application", trader_code,
            "330302", form, uuid.UUID(by.account_id),
        )  # fmt: skip
        with transaction.atomic():
            GrantsArePaid().granted(case, by=by, at=AT)
        return case

    return grant


@pytest.fixture
def shops(city) -> list[str]:
    snapshot = rulebook.dataplane.get_published_snapshot().snapshot_id
    active = rulebook.list_granted("policies.six_taxes_half", city.as_of, snapshot)
    codes = [each.trader_code for each in active[:60]]
    said = [
        rulebook.explain_rule(c, FEE, answers={"training_fee_yuan": Decimal(600)}) for c in codes
    ]
    return [code for code, decision in zip(codes, said, strict=True) if decision.outcome == "yes"]


def test_a_granted_application_is_paid_like_any_award(
    granted, shops, cashier, supervisor, settings
):
    granted(shops[0])
    (award,) = Award.objects.all()
    assert (award.cents, award.state) == (30_000, "entitled")
    assert json.loads(bytes(award.slip))["answers"]
    assert rules.replay(bytes(award.slip)).slip.content == bytes(award.slip)
    run = AwardRun.objects.get(by_application=True)
    confirmed(run)
    batch = release(run, cashier, supervisor)  # sample, decided again with her answers, two people
    services.submit_due(AT)
    bank(settings).work_through(settings.DATA_DIR / "treasury", AT.date())
    assert services.reconcile(AT.date(), at=AT).paid == 1
    award.refresh_from_db()
    assert award.state == "reconciled"
    budget = Budget.objects.get()
    assert (budget.paid_cents, batch.cents) == (30_000, 30_000)
    check_money(budget)
    assert selectors.get_run(run.pk).by_application


def test_one_application_is_paid_once_and_one_subject_once(granted, shops):
    case = granted(shops[0])
    granted(shops[0])  # the same grant again: the same award
    assert Award.objects.count() == 1
    with pytest.raises(services.NotNow, match="已经认定过"):
        granted(shops[0], number=2)
    with pytest.raises(services.NotNow, match="已经认定过"):
        GrantsArePaid().before_submission(case, by=operator(shops[0]), at=AT)
    services.join_codes(LATER, shops[0], evidence="登记记录", by=officer(Role.SUPERVISOR), at=AT)
    with pytest.raises(services.NotNow, match="已经认定过"):
        granting._check_first(FEE, "2026", LATER)


def test_what_rule_and_answers_do_not_give_is_not_granted(granted, shops):
    for yuan, why in (("0", "不符合"), ("", "判断不了")):
        with pytest.raises(services.NotNow, match=why):
            granted(shops[0], yuan)
    assert not Award.objects.exists()
    assert not Budget.objects.exists()  # nothing of it stays


def test_the_budget_of_applications_runs_out_in_the_order_of_grants(granted, shops):
    granted(shops[0])
    Budget.objects.update(total_cents=50_000)
    granted(shops[1], number=2)
    granted(shops[2], "20", number=3)  # would fit, but does not jump the queue
    states = list(Award.objects.order_by("position").values_list("state", flat=True))
    assert states == ["entitled", "waiting", "waiting"]
    check_money(Budget.objects.get())


def test_a_programme_of_applications_is_not_tried_out_over_the_city(city, writer):
    with pytest.raises(services.NotAwardable, match="按申请"):
        services.plan_run("demo.training_fee_2026", by=writer, at=AT)


# corrections that give more


@pytest.fixture
def lacking(paid, monkeypatch):
    """A paid award that should have been 300 yuan more, and its correction."""
    award = paid.awards.filter(state="reconciled").order_by("cents").first()
    real = rechecking.recheck

    class Changed(rechecking.Recheck):
        @property
        def cents(self) -> int:
            return award.cents + 30_000

    def recheck(run, awards):
        return [
            Changed(c.award, c.outcome, c.yuan, c.snapshot_id, "")
            if c.award.trader_code == award.trader_code
            else c
            for c in real(run, awards)
        ]

    from getihu.policies.services import checking, confirming, paying

    for module in (adjusting, checking, confirming, paying):
        monkeypatch.setattr(module, "recheck", recheck)
    services.look_for_corrections(paid.pk, at=AT)
    return Adjustment.objects.get()


def test_what_was_paid_is_held_once_against_each_new_snapshot(paid, monkeypatch):
    looked = []
    monkeypatch.setattr(adjusting, "look_for_corrections", lambda pk, at: looked.append(pk) or 1)
    assert services.work_corrections(AT) == 0  # the snapshot it was decided on
    AwardRun.objects.filter(pk=paid.pk).update(snapshot_id="an earlier one")
    assert services.work_corrections(AT) == 1
    assert services.work_corrections(AT) == 0
    assert looked == [paid.pk]


def test_what_a_correction_shows_is_lacking_reaches_the_account(
    lacking, supervisor, cashier, settings
):
    how = {"reason": "参保人数更正", "article": "第一条", "at": AT}
    with pytest.raises(services.NotAllowed):
        services.top_up(lacking.pk, by=cashier, **how)
    with pytest.raises(services.NotNow, match="理由"):
        services.top_up(lacking.pk, by=supervisor, **{**how, "article": " "})
    made = services.top_up(lacking.pk, by=supervisor, **how)
    assert (made.cents, made.state) == (30_000, "entitled")
    with pytest.raises(services.NotNow):
        services.top_up(lacking.pk, by=supervisor, **how)
    run = made.run
    services.confirm(
        made.pk, consents=selectors.consents_needed(made), by=operator(made.trader_code), at=AT
    )
    before = services.result_sha256(run)
    release(run, cashier, supervisor)
    services.submit_due(AT)
    day = AT.date()
    bank(settings).work_through(settings.DATA_DIR / "treasury", day)
    assert services.reconcile(day, at=AT).paid == 1
    lacking.refresh_from_db()
    made.refresh_from_db()
    assert (lacking.state, made.state) == ("topped", "reconciled")
    check_money(Budget.objects.get())
    assert services.result_sha256(run) == before  # what the run itself gave is as it was
    assert services.look_for_corrections(run.pk, at=AT) == 0  # with it, all is right
    shown = selectors.list_adjustments_of(lacking.award_id, actor=operator(made.trader_code))
    assert [each.state_label for each in shown] == ["已补发到账"]


def test_the_database_holds_a_top_up_to_what_is_lacking_and_to_once(lacking, supervisor):
    base = lacking.award
    rest = {
        f.attname: getattr(base, f.attname)
        for f in Award._meta.concrete_fields
        if f.attname not in ("id", "adjustment_id", "state", "paid_on")
    }

    def insert(cents: int) -> None:
        with transaction.atomic():
            Award.objects.create(
                id=uuid.uuid4(), adjustment=lacking, state="waiting", **{**rest, "cents": cents}
            )

    with pytest.raises(IntegrityError):  # nobody has decided yet
        insert(30_000)
    Adjustment.objects.filter(pk=lacking.pk).update(
        state="topping", decided_by=supervisor.account_id
    )
    with pytest.raises(IntegrityError):
        insert(30_001)
    insert(30_000)
    with pytest.raises(IntegrityError):
        insert(1)


# one subject, several codes


def test_a_trader_who_became_a_firm_by_a_new_registration_is_not_paid_twice(
    city, writer, supervisor
):
    run = awarded(writer, supervisor)
    first, second, *_ = run.awards.order_by("position")
    how = {"evidence": "2026-09-01 注销、设立记录", "by": supervisor, "at": AT}
    services.join_codes(LATER, first.trader_code, **how)
    services.join_codes(LATER, first.trader_code, **how)  # no change
    assert services.subjects_of([LATER]) == {LATER: first.trader_code}
    values = {f.attname: getattr(first, f.attname) for f in Award._meta.concrete_fields}
    for subject in (LATER, first.trader_code):  # the other code, and the first one again
        with pytest.raises(IntegrityError), transaction.atomic():
            Award.objects.create(
                **{**values, "id": uuid.uuid4(), "subject": subject, "trader_code": LATER,
                   "state": "waiting"}
            )  # fmt: skip
    with pytest.raises(services.NotNow, match="前后相反"):
        services.join_codes(first.trader_code, LATER, **how)
    with pytest.raises(services.NotNow, match="同一个代码"):
        services.join_codes(LATER, LATER, **how)
    with pytest.raises(services.NotAllowed):
        services.join_codes(LATER, second.trader_code, **{**how, "by": writer})
    # Two shops already paid turn out to be one: a person looks, nothing is taken.
    services.join_codes(second.trader_code, first.trader_code, **how)
    assert Discrepancy.objects.get().kind == "two_codes"
    second.refresh_from_db()
    assert second.state == "entitled"
    assert SubjectAlias.objects.count() == 2


def test_control_without_the_alias_the_later_code_is_paid_again(city, writer, supervisor):
    run = awarded(writer, supervisor)
    first = run.awards.order_by("position").first()
    values = {f.attname: getattr(first, f.attname) for f in Award._meta.concrete_fields}
    Award.objects.create(
        **{**values, "id": uuid.uuid4(), "subject": LATER, "trader_code": LATER, "state": "waiting"}
    )


def test_bulk_writes_of_pushes_consents_and_drafts_do_not_escape_the_log(city):
    if connection.vendor != "postgresql":
        pytest.skip("row triggers of the log are PostgreSQL's")
    from getihu.policies.models import MatchConsent, PolicyDraft, Push

    by = operator(LATER).account_id
    Push.objects.bulk_create(
        [Push(rule_id="a", rule_version="1", trader_code="c", kind="award", pushed_at=AT)]
    )
    MatchConsent.objects.bulk_create(
        [MatchConsent(trader_code="c", article="某条", by_id=by, since=AT)]
    )
    PolicyDraft.objects.bulk_create(
        [PolicyDraft(rule_id="a", title="t", author_id=by, begun_at=AT, changed_at=AT)]
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE policies_policydraft SET title = 'other'")
    seen = {(e.object_ref.split(":")[0], e.kind) for e in Event.objects.all()}
    for table in ("policies_push", "policies_matchconsent", "policies_policydraft"):
        assert any(table in ref or table in kind for ref, kind in seen), (table, seen)


def test_yuan_of_a_top_up_is_shown_apart(lacking, supervisor):
    made = services.top_up(lacking.pk, reason="x", article="y", by=supervisor, at=AT)
    shown = selectors.get_award(made.pk)
    assert shown.title.endswith("（更正后补发）")
    assert shown.yuan == yuan_of(30_000)
