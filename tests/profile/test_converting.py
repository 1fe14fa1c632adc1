"""Becoming a company: nobody but the operator, and what was told before is what happens."""

import pytest
from django.db import DatabaseError, transaction

from getihu.cases import selectors as bundles
from getihu.cases import services as cases
from getihu.cases.models import Case, CaseMove
from getihu.entry import selectors as entry
from getihu.entry.models import Filing
from getihu.growth import selectors, services
from getihu.growth.models import AftercareDuty, Conversion, TransferTask
from tests.cases.cast import AT, days, person

pytestmark = pytest.mark.django_db
MATTER, BUNDLE = "growth.conversion", "entry.become_company"
FORM = {
    "own_will": True,
    "seen_both_sides": True,
    "company_form": "limited",
    "company_name": "温州阿华面馆有限公司",
}


def begin(shop, by=None, form=FORM):
    trader, owner = shop
    case = cases.open_draft(
        MATTER, trader.trader_code, place=trader.town_code, by=by or owner, at=AT
    )
    cases.save_draft(case, form, by=by or owner)
    return case


def convert(shop, window, at=AT):
    case = begin(shop)
    cases.submit(case, by=shop[1], at=at)
    cases.accept(case, by=window, at=at)
    cases.finish_stage(case, "registration", passed=True, by=window, at=at)
    return case


def together(shop, form=FORM):
    """The whole of it as a bundle: taxes, the conversion, what follows it."""
    trader, owner = shop
    run = cases.open_bundle(BUNDLE, trader.trader_code, place=trader.town_code, by=owner, at=AT)
    asked = {"has_food_permit": False, "has_staff": False, "pays_fund": False}
    cases.save_bundle(run, asked | {"keeps_invoices": True} | form, by=owner)
    cases.submit_bundle(run, by=owner, at=AT)
    return run


def part_of(run, part_id, owner):
    view = bundles.get_bundle_run(run, actor=owner, on=AT.date())
    return next(part for part in view.parts if part.part_id == part_id)


def passed(run, part_id, by, owner):
    case = part_of(run, part_id, owner).case_id
    cases.accept(case, by=by, at=AT)
    for stage in part_of(run, part_id, owner).stages:
        cases.finish_stage(case, stage.stage_id, passed=True, by=by, at=AT)


def test_the_bundle_composes_the_one_matter_and_files_once(shop, window, tax_officer):
    """Its part is growth's own matter: the register, the rehearsal and the duties come of it."""
    trader, owner = shop
    run = together(shop)
    passed(run, "tax", tax_officer, owner)
    assert Case.objects.get(pk=part_of(run, "registration", owner).case_id).matter_id == MATTER
    passed(run, "registration", window, owner)
    passed(run, "tax_change", tax_officer, owner)
    assert bundles.get_bundle_run(run, actor=owner, on=AT.date()).state == "done"
    assert entry.get_entry(trader.trader_code).company_form == "limited"
    assert Filing.objects.filter(kind="conversion").count() == 1
    assert Conversion.objects.get().trader_code == trader.trader_code
    assert AftercareDuty.objects.exists()


def test_in_the_bundle_too_it_stops_without_her_own_will(shop, window, tax_officer):
    run = together(shop, FORM | {"own_will": False})
    passed(run, "tax", tax_officer, shop[1])
    part = part_of(run, "registration", shop[1])
    assert part.state == "held" and "由您自己定" in part.why
    assert not Filing.objects.filter(kind="conversion").exists()


def test_there_is_one_matter_of_becoming_a_company():
    files = [m for m in bundles.matter_catalogue().values() if m.filing]
    assert [m.id for m in files if m.filing.kind == "conversion"] == [MATTER]
    assert [m for m in bundles.matter_catalogue() if "conversion" in m] == [
        "entry.conversion_tax",
        MATTER,
    ]


def test_plan_2_4_nobody_but_the_operator_starts_a_conversion(shop, window):
    _trader, _ = shop
    for who in (window, person("stranger"), person("other", "92330382MA2JXW6N1X")):
        with pytest.raises(cases.NotAllowed):
            begin(shop, by=who)
    assert not Case.objects.exists()


def test_plan_2_4_the_database_refuses_every_way_around(shop, window):
    """Raw rows, as a command, a rule, a bundle or a hostile officer would write them."""
    trader, owner = shop
    case = begin(shop)
    row = Case.objects.get(pk=case)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.create(
            number="X1", matter_id=MATTER, trader_code=trader.trader_code,
            division=row.division, agency="amr", opened_by_id=window.account_id, opened_at=AT,
        )  # fmt: skip
    other = cases.open_draft(
        "growth.human_profile", trader.trader_code, place=trader.town_code, by=owner, at=AT
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=other).update(matter_id=MATTER)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=case).update(opened_by_id=window.account_id)
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseMove.objects.create(
            case_id=case, before="draft", after="submitted", at=AT, side="applicant",
            by_id=window.account_id,
        )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        CaseMove.objects.create(
            case_id=case, before="draft", after="submitted", at=AT, side="law", by_id=None
        )
    content = {"company_form": "limited", "name": "某公司"}
    for of in (None, case):
        with pytest.raises(DatabaseError), transaction.atomic():
            Filing.objects.create(
                trader_code=trader.trader_code, sequence=9, kind="conversion",
                effective_on=AT.date(), filed_at=AT, content=content, case=of,
                by_id=window.account_id,
            )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        Conversion.objects.create(
            case=case, trader_code=trader.trader_code, company_form="limited",
            company_name="某公司", converted_on=AT.date(), at=AT, rehearsal=[],
        )  # fmt: skip
    # The control: the very same rows of another matter and kind are taken.
    Case.objects.create(
        number="X2", matter_id="growth.human_profile", trader_code=trader.trader_code,
        division=row.division, agency="amr", opened_by_id=window.account_id, opened_at=AT,
    )  # fmt: skip


def test_plan_2_4_without_her_own_will_it_is_not_handed_in(shop):
    for form in (FORM | {"own_will": False}, FORM | {"seen_both_sides": False}):
        case = begin(shop, form=form)
        with pytest.raises(services.NotVoluntary):
            cases.submit(case, by=shop[1], at=AT)


def test_code_founding_date_and_history_go_on(shop, window):
    trader, _ = shop
    convert(shop, window)
    found = entry.get_entry(trader.trader_code)
    assert (found.established_on, found.trader_code) == (
        trader.established_on,
        trader.trader_code,
    )
    assert found.company_form == "limited" and found.name == FORM["company_name"]
    assert [f.kind for f in entry.list_filings(trader.trader_code)] == ["conversion", "baseline"]
    with pytest.raises(Exception, match="已经是企业"):
        again = begin(shop)
        cases.submit(again, by=shop[1], at=days(1))


def test_what_was_told_before_is_what_happens(shop, window):
    code = shop[0].trader_code
    told = selectors.rehearse(code)
    convert(shop, window)
    tasks = {(t.kind, t.ref, t.about) for t in TransferTask.objects.all()}
    assert tasks == {(h.kind, h.ref, h.about) for h in told if h.fate == "task"}
    kept = Conversion.objects.get().rehearsal
    assert [(k["kind"], k["about"], k["fate"]) for k in kept] == [
        (h.kind, h.about, h.fate) for h in told
    ]
    assert {"name", "code", "property"} <= {h.kind for h in told}
    assert any(h.kind == "subsidy" for h in told)  # 温政办〔2024〕22号 follows by rule


def test_transfers_end_with_a_result_by_the_office_alone(shop, window):
    convert(shop, window)
    task = TransferTask.objects.first()
    with pytest.raises(services.NotYours):
        services.end_transfer(task.pk, "done", result="好了", by=shop[1], at=days(1))
    with pytest.raises(services.AlreadyEnded):
        services.end_transfer(task.pk, "done", result=" ", by=window, at=days(1))
    services.end_transfer(task.pk, "done", result="已经改到企业名下", by=window, at=days(1))
    with pytest.raises(services.AlreadyEnded):
        services.end_transfer(task.pk, "refused", result="不行", by=window, at=days(2))


def test_three_years_of_bookkeeping_are_owed_until_served(shop, window):
    code = shop[0].trader_code
    convert(shop, window)
    view = selectors.find_conversion(code, on=AT.date())
    books = [d for d in view.duties if d.title.startswith("免费基础代理记账")]
    assert len(books) == 12 and books[-1].due_on.year == AT.year + 3
    assert {d.standing for d in view.duties} == {"to_come"}
    late = selectors.find_conversion(code, on=days(100).date())
    assert [d.standing for d in late.duties][:2] == ["owed", "owed"]
    assert len(selectors.list_due_duties(window, by=days(100).date(), on=days(100).date())) == 2
    duty = AftercareDuty.objects.order_by("due_on").first()
    services.serve_duty(duty.pk, note="第一课上完了", by=window, at=days(20))
    services.answer_duty(duty.pk, was_served=False, by=shop[1], at=days(21))
    view = selectors.find_conversion(code, on=days(22).date())
    assert [d.standing for d in view.duties if d.id == duty.pk] == ["denied"]
    with pytest.raises(DatabaseError), transaction.atomic():
        AftercareDuty.objects.filter(pk=duty.pk).update(due_on=days(900).date())
