"""What a department holds and an applicant says is otherwise: both are kept, and the department
finds out. The case goes on with what she says."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.cases.matters.model import FormField, Matter
from getihu.cases.models import Case, ContestedValue
from getihu.cases.services.rights import check_officer
from getihu.cases.services.steps import IllegalMove, note_event
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactValue
from getihu.kernel.errors import GetihuError

ANSWERS = {"corrected": "部门的数据已更正", "kept": "部门的数据没有错"}


def note_contested(case: Case, matter: Matter, *, by: Actor, at: datetime) -> None:
    """Keep what departments hold beside every answer that says otherwise. What is contested
    already and not answered yet is not contested again."""
    asked = [field for field in matter.form if field.fact and case.form.get(field.id) is not None]
    if not asked:
        return
    held = held_facts(case.trader_code)
    for field in asked:
        fact = held.get(str(field.fact))
        claimed = case.form[field.id]
        if fact is None or fact.value is None or is_same(field, fact.value, claimed):
            continue
        declared = dataplane.fact_catalogue()[fact.name]
        ContestedValue.objects.get_or_create(
            trader_code=case.trader_code,
            fact=fact.name,
            answered_at=None,
            defaults={
                "label": field.label,
                "unit": field.unit,
                "department": declared.department,
                "division": case.division[:6],
                "held": str(fact.value),
                "held_on": fact.recorded_on,
                "claimed": str(claimed),
                "case": case,
                "at": at,
                "by_id": by.account_id,
            },
        )
        note_event(case, "case.contested", by, at, fact=fact.name, department=declared.department)


def held_facts(trader_code: str) -> dict[str, FactValue]:
    """What departments hold of a trader; nothing before the first deliveries."""
    try:
        as_of = dataplane.get_published_snapshot().data_until
        return dataplane.get_trader_facts(trader_code, as_of).values
    except GetihuError:
        return {}


def is_same(field: FormField, held: object, claimed: object) -> bool:
    """Whether an answer says what a department holds: numbers as numbers, days as days."""
    if field.type in ("integer", "money", "decimal"):
        try:
            return Decimal(str(held)) == Decimal(str(claimed))
        except InvalidOperation:
            return False
    if isinstance(held, date):
        return held.isoformat() == str(claimed)
    return held == claimed if isinstance(held, bool) else str(held) == str(claimed)


@transaction.atomic
def answer_contested(
    number: int, answer: str, reason: str, *, by: Actor, at: datetime
) -> ContestedValue:
    """A department says what is right, with a reason. Raises NotAllowed, IllegalMove."""
    row = ContestedValue.objects.select_for_update().filter(pk=number, answered_at=None).first()
    if row is None or answer not in ANSWERS:
        raise IllegalMove("这一项已经答复过，或者答复看不懂。")
    check_officer(by, row.department, row.division)
    if not reason.strip():
        raise IllegalMove("要写明查到了什么，写给申请人看。")
    row.answer, row.reason = answer, reason.strip()
    row.answered_at, row.answered_by_id = at, by.account_id
    row.save()
    note_event(row.case, "case.contest_answered", by, at, fact=row.fact, answer=answer)
    return row
