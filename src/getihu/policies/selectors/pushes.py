"""Reads of pushes: is it still so, what a trader allowed, how well it was aimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Min

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.dataplane import selectors as dataplane
from getihu.policies.machine import IN_ACCOUNT
from getihu.policies.models import Award, Push, PushRun
from getihu.registry import selectors as registry
from getihu.registry.contracts import Purpose
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Truth

CITY_TIME = ZoneInfo("Asia/Shanghai")


def push_is(argument: str) -> bool:
    """For notices: whether what a push tells is still so by the newest data and rules, and she
    still allows the facts it rests on."""
    push = Push.objects.filter(pk=argument).first()
    if push is None:
        return False
    rule = rulebook.get_rule(push.rule_id, dataplane.get_published_snapshot().data_until)
    needed = {need.article for need in rulebook.consent_needed(rule)}
    if not needed <= consents_given([push.trader_code]).get(push.trader_code, set()):
        return False
    decision = rulebook.explain_rule(push.trader_code, push.rule_id)
    if push.kind == Push.Kind.NEAR:
        return decision.applies and decision.outcome == Truth.NO
    return decision.applies and decision.outcome == Truth.YES


def consents_given(trader_codes: Sequence[str]) -> dict[str, set[str]]:
    """Trader code → the articles under which she allows facts to be used to find policies."""
    return registry.consents_given(trader_codes, Purpose.POLICY_MATCH)


@dataclass(frozen=True)
class ConsentChoice:
    """One thing a trader may allow: by which article, which facts, for which policies."""

    trader_code: str
    article: str
    facts: tuple[str, ...]
    policies: tuple[str, ...]
    is_given: bool


def list_consent_choices(trader_code: str, *, actor: Actor) -> list[ConsentChoice]:
    """What the operator may allow, over the rules in force; empty when she does not own it."""
    if trader_code not in actor.own:
        return []
    as_of = dataplane.get_published_snapshot().data_until
    facts: dict[str, dict[str, None]] = {}
    titles: dict[str, dict[str, None]] = {}
    for rule in rulebook.get_rulebook().governing(as_of):
        if not rule.id.startswith("policies.") or not rule.in_force(as_of):
            continue
        for need in rulebook.consent_needed(rule):
            facts.setdefault(need.article, {}).update(dict.fromkeys(need.labels))
            titles.setdefault(need.article, {})[rule.title] = None
    given = consents_given([trader_code]).get(trader_code, set())
    return [
        ConsentChoice(trader_code, each, tuple(facts[each]), tuple(titles[each]), each in given)
        for each in sorted(facts)
    ]


@dataclass(frozen=True)
class PushNumbers:
    """How well a policy was told of. Grain: traders. ``paid`` None: no award of it is paid here,
    so nobody can say who got it; then there is no precision and no recall.

    ``precision``: of those told, the share who then got it; ``recall``: of those who got it, the
    share who had been told before, on the day the money came at the latest.
    """

    matched: int | None
    told: int
    near: int
    without_consent: int | None
    paid: int | None
    precision: float | None
    recall: float | None


@over_the_wall()
def push_numbers(rule_id: str) -> PushNumbers:
    """The numbers of one policy since it began; ``matched`` of the last pass."""
    last = PushRun.objects.exclude(ended_at=None).order_by("-began_at").first()
    counts = last.counts.get(rule_id, {}) if last else {}
    kinds = (Push.Kind.MATCH, Push.Kind.AWARD)
    pushes = Push.objects.filter(rule_id=rule_id, kind__in=kinds)
    told = dict(pushes.values_list("trader_code").annotate(first=Min("pushed_at")))
    near = Push.objects.filter(rule_id=rule_id, kind=Push.Kind.NEAR).count()
    awards = Award.objects.filter(run__rule_id=rule_id)
    is_paid_here = awards.exists()
    in_account = awards.filter(state__in=IN_ACCOUNT)
    paid = dict(in_account.values_list("trader_code").annotate(first=Min("paid_on")))
    both = sum(
        code in told and (on is None or told[code].astimezone(CITY_TIME).date() <= on)
        for code, on in paid.items()
    )
    return PushNumbers(
        matched=counts.get("matched"),
        told=len(told),
        near=near,
        without_consent=counts.get("without_consent", 0) if counts else None,
        paid=len(paid) if is_paid_here else None,
        precision=both / len(told) if is_paid_here and told else None,
        recall=both / len(paid) if is_paid_here and paid else None,
    )
