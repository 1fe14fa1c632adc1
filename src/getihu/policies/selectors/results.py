"""How a policy does: whom it reaches, who gets it, what keeps the others, how long, at what cost;
and how long the government took from the signature to the first money."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from django.db.models import Min, Sum

from getihu.access.services import over_the_wall
from getihu.cases import selectors as cases
from getihu.dataplane import selectors as dataplane
from getihu.policies.contracts import yuan_of
from getihu.policies.library.documents import document_of
from getihu.policies.library.reading import Reading
from getihu.policies.machine import IN_ACCOUNT
from getihu.policies.models import Award, Push
from getihu.policies.selectors.awards import FEWEST
from getihu.policies.selectors.library import get_reading, list_readings
from getihu.policies.selectors.pushes import PushNumbers, push_numbers
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import MissingNumbers, RuleNumbers

# What a benefit given in the tax return itself is called.
TAX_KINDS = ("税收减免", "税费减免", "免税", "减征", "限额扣减")
REVIEW_MATTER = "policies.award_review"
OF_AN_AWARD = {"subject": "award"}


@dataclass(frozen=True)
class MissedBy:
    """A condition that alone keeps ``traders`` from the policy. None: too few to be named."""

    label: str
    article: str
    traders: int | None
    can_change: bool


@dataclass(frozen=True)
class GovernmentClock:
    """One policy's way through the offices. None: not known, or not yet.

    ``executable_on`` is the first day the whole city was decided by it here; ``days_…`` count
    natural days from the signature. A document signed before this installation first decided
    anything (``is_older``) says nothing of how fast the offices are.
    """

    rule_id: str
    title: str
    signed_on: date | None
    executable_on: date | None
    pushed_on: date | None
    paid_on: date | None
    is_older: bool

    def days_to(self, day: date | None) -> int | None:
        return (day - self.signed_on).days if day and self.signed_on else None

    @property
    def days_to_rule(self) -> int | None:
        return self.days_to(self.executable_on)

    @property
    def days_to_push(self) -> int | None:
        return self.days_to(self.pushed_on)

    @property
    def days_to_money(self) -> int | None:
        return self.days_to(self.paid_on)


@dataclass(frozen=True)
class PolicyResults:
    """Numbers of one policy. Counts below ``FEWEST`` of awards are None: nobody is singled out.

    ``uptake`` is the share of those awarded who have the money; ``days_to_money`` the median from
    the decision to the account, in natural days; ``paid_yuan`` what it has cost; ``reviews`` how
    often those awarded asked for a person to look at an award.
    """

    reading: Reading
    as_of: date | None
    numbers: RuleNumbers | None
    pushes: PushNumbers
    missing: tuple[MissingNumbers, ...]
    missed: tuple[MissedBy, ...]
    awarded: int | None
    paid: int | None
    uptake: float | None
    days_to_money: float | None
    paid_yuan: Decimal | None
    reviews: int | None
    clock: GovernmentClock

    @property
    def aim_note(self) -> str:
        """Why nobody can say how well it was aimed; empty where it can be measured by awards."""
        if self.pushes.paid is not None:
            return ""
        if self.reading.kind in TAX_KINDS:
            return (
                "这项在报税时享受。税务送来的年度和月度数据只有减免前的税额和实缴总额，没有写享受了"
                "哪一项，不能倒推，说不出；送来分项的减免额以后再算。"
            )
        return "不在本平台兑付，没有到账的数据，说不出。"


@over_the_wall()
def get_results(rule_id: str, on: date) -> PolicyResults:
    """One policy's numbers as of the published data. Raises UnknownRule. Cost: as
    ``rulebook.get_rule_numbers``."""
    reading = get_reading(rule_id, on)
    rule = rulebook.get_rule(rule_id, on)
    numbers = _numbers(rule_id)
    awards = Award.objects.filter(run__rule_id=rule_id)
    codes = list(awards.filter(adjustment=None).values_list("trader_code", flat=True))
    paid = awards.filter(state__in=IN_ACCOUNT)
    waits = [
        (day - at.date()).days
        for day, at in paid.filter(adjustment=None).values_list("paid_on", "entitled_at")
        if day is not None
    ]
    told = len(waits) >= FEWEST
    cents = paid.aggregate(total=Sum("cents"))["total"] or 0
    labels = {clause.id: clause for clause in rule.clauses}
    return PolicyResults(
        reading=reading,
        as_of=numbers.as_of if numbers else None,
        numbers=numbers,
        pushes=push_numbers(rule_id),
        missing=numbers.missing if numbers else (),
        missed=tuple(
            MissedBy(
                labels[each.id].label,
                labels[each.id].article,
                each.alone if each.alone >= FEWEST else None,
                each.can_change,
            )
            for each in sorted(numbers.clauses if numbers else (), key=lambda each: -each.alone)
            if each.alone and each.id in labels
        ),
        awarded=_guarded(len(codes)) if codes else None,
        paid=_guarded(len(waits)) if codes else None,
        uptake=len(waits) / len(codes) if told else None,
        days_to_money=median(waits) if told else None,
        paid_yuan=yuan_of(cents) if told else None,
        reviews=cases.count_cases(REVIEW_MATTER, codes, said=OF_AN_AWARD) if codes else None,
        clock=_clock(reading, rulebook.first_days()),
    )


def _guarded(count: int) -> int | None:
    return count if count >= FEWEST else None


def _numbers(rule_id: str) -> RuleNumbers | None:
    try:
        return rulebook.get_rule_numbers(rule_id)
    except (dataplane.NothingPublished, dataplane.FactsNotBuilt, dataplane.AsOfBeforeData):
        return None


def list_government_clocks(on: date) -> list[GovernmentClock]:
    """Every policy in force here, the latest signature first; those of unknown date last."""
    first_days = rulebook.first_days()
    found = [
        _clock(reading, first_days)
        for reading in list_readings(on)
        if reading.is_here and reading.is_live
    ]
    dated = [each for each in found if each.signed_on]
    return [
        *sorted(dated, key=lambda each: each.signed_on or on, reverse=True),
        *(each for each in found if not each.signed_on),
    ]


@over_the_wall()
def _clock(reading: Reading, first_days: dict[str, date]) -> GovernmentClock:
    signed = document_of(reading.document.document).signed_on
    pushes = Push.objects.filter(rule_id=reading.id).exclude(kind=Push.Kind.NEAR)
    first_push = pushes.aggregate(first=Min("pushed_at"))["first"]
    awards = Award.objects.filter(run__rule_id=reading.id)
    begun = min(first_days.values(), default=None)
    return GovernmentClock(
        rule_id=reading.id,
        title=reading.title,
        signed_on=signed,
        executable_on=first_days.get(reading.id),
        pushed_on=first_push.date() if first_push else None,
        paid_on=awards.aggregate(first=Min("paid_on"))["first"],
        is_older=bool(signed and begun and signed < begun),
    )
