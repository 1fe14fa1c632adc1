"""精准推送: tell an operator of a policy she now matches, once, with the reasons; and of what she
is one step away from, at most once a quarter."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_operated, list_operators
from getihu.dataplane import selectors as dataplane
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.policies.library.reading import Reading
from getihu.policies.models import Push, PushRun
from getihu.policies.selectors import list_programmes, list_readings
from getihu.policies.selectors.pushes import consents_given
from getihu.policies.services.rights import NotAllowed
from getihu.registry import services as registry
from getihu.registry.contracts import Purpose
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Truth

STRETCH = 1_000  # operators looked at together
REASONS = 3  # clauses named in a notice; the page it leads to has all
CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)
CITY_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class PushReport:
    """What one pass did: rule id → told, told before, without her consent; and 差一步 told."""

    counts: dict[str, dict[str, int]]
    near: int

    @property
    def told(self) -> int:
        return sum(each.get("told", 0) for each in self.counts.values())


def quarter_of(day: date) -> str:
    """2026Q4."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def push(*, at: datetime) -> PushReport | None:
    """Tell every operator with an account of new matches of the last sweep, and of one step.

    Does nothing (None) when this snapshot was gone through in this quarter already. Stopped and run
    again it goes on where it was: who was told is not told twice, by the database. Raises:
    NothingPublished, NotSwept.
    """
    published = dataplane.get_published_snapshot()
    as_of, snapshot = published.data_until, published.snapshot_id
    quarter = quarter_of(at.astimezone(CITY_TIME).date())
    rulebook.sweep_counts(as_of, snapshot)
    run, _ = PushRun.objects.get_or_create(
        snapshot_id=snapshot, quarter=quarter, defaults={"as_of": as_of, "began_at": at}
    )
    if run.ended_at is not None:
        return None
    readings, by_award = pushable(as_of), {p.rule for p in list_programmes() if p.by == "data"}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    near_lists = {each.id: _near(each.id, as_of) for each in readings}
    near, after = 0, ""
    while codes := list_operated(after, STRETCH):
        after = codes[-1]
        for reading in readings:
            if reading.id in by_award:
                continue  # the award itself asks her
            found = _tell_matches(reading, codes, as_of, snapshot, at)
            counts[reading.id].update(found)  # adding would drop what is nought
        near += _tell_near(readings, near_lists, codes, (as_of, snapshot, quarter), at)
    report = PushReport({name: dict(found) for name, found in counts.items()}, near)
    run.ended_at, run.counts = at, {**report.counts, "near": {"told": near}}
    run.save(update_fields=["ended_at", "counts"])
    return report


def pushable(as_of: date) -> list[Reading]:
    """Policies worth telling of: in force here, decided by department data alone, their text
    whole."""
    return [
        each
        for each in list_readings(as_of)
        if each.id.startswith("policies.")
        and each.is_here
        and each.state == "in_force"
        and not each.judged
        and not each.asked
    ]


def _near(rule_id: str, as_of: date) -> set[str]:
    """Codes one step away; empty for a rule nothing can change."""
    found = rulebook.list_near_traders(rule_id, as_of, limit=10_000_000)
    return {each.trader_code for each in found}


def _tell_matches(
    reading: Reading, codes: Sequence[str], as_of: date, snapshot: str, at: datetime
) -> Counter[str]:
    decided = rulebook.list_decided(reading.id, codes, as_of, snapshot)
    matched = [code for code, (outcome, _) in decided.items() if outcome == Truth.YES]
    before = set(
        Push.objects.filter(
            rule_id=reading.id, kind=Push.Kind.MATCH, trader_code__in=matched
        ).values_list("trader_code", flat=True)
    )
    allowed = _consenting(reading, matched)
    found = Counter({"matched": len(matched), "before": len(before)})
    for code in matched:
        if code in before:
            continue
        if code not in allowed:
            found["without_consent"] += 1
            continue
        decision = rulebook.explain_rule(code, reading.id, as_of=as_of, snapshot_id=snapshot)
        why = "、".join(c.label for c in decision.clauses if c.id in decision.deciding)
        values = {"policy": reading.title, "benefit": reading.gives, "why": _short(why)}
        if _tell(Push.Kind.MATCH, reading, code, snapshot, values, at):
            found["told"] += 1
    return found


def _short(text: str) -> str:
    parts = text.split("、")
    return "、".join(parts[:REASONS]) + ("等" if len(parts) > REASONS else "")


def _tell_near(
    readings: Sequence[Reading],
    near_lists: Mapping[str, Collection[str]],
    codes: Sequence[str],
    when: tuple[date, str, str],
    at: datetime,
) -> int:
    """One policy for each, the first in the library's order that she may be told of."""
    as_of, snapshot, quarter = when
    told = set(
        Push.objects.filter(
            kind=Push.Kind.NEAR, quarter=quarter, trader_code__in=codes
        ).values_list("trader_code", flat=True)
    )
    new = 0
    for reading in readings:
        candidates = [c for c in codes if c in near_lists[reading.id] and c not in told]
        for code in sorted(_consenting(reading, candidates)):
            advice = rulebook.advise(code, reading.id, as_of=as_of, snapshot_id=snapshot)
            if not advice.is_near or not advice.remedies:
                continue
            told.add(code)
            values = {"policy": reading.title, "step": advice.remedies[0].text}
            new += _tell(Push.Kind.NEAR, reading, code, snapshot, values, at, quarter)
    return new


def _consenting(reading: Reading, codes: Sequence[str]) -> set[str]:
    """Those who may be told: all, or where the law asks her consent, those who gave it."""
    needed = {need.article for need in rulebook.consent_needed(rulebook.get_rule(reading.id))}
    if not needed:
        return set(codes)
    given = consents_given(codes)
    return {code for code in codes if needed <= given.get(code, set())}


def _tell(
    kind: Push.Kind,
    reading: Reading,
    code: str,
    snapshot: str,
    values: dict[str, str],
    at: datetime,
    quarter: str = "",
) -> bool:
    """Note that she was told and queue the notice, both or neither; False: somebody was faster."""
    template = "policy.near" if kind == Push.Kind.NEAR else "policy.available"
    try:
        with transaction.atomic():
            made = Push.objects.create(
                rule_id=reading.id,
                rule_version=reading.version,
                trader_code=code,
                kind=kind,
                quarter=quarter,
                snapshot_id=snapshot,
                pushed_at=at,
            )
            for account in list_operators([code]).get(code, ()):
                notifications.queue(
                    NoticeRequest(
                        obligation=f"push:{code}/{reading.id}",
                        stage=quarter or str(kind),
                        recipient=account,
                        template_id=template,
                        values=values,
                        channels=CHANNELS,
                        guard="push_is",
                        guard_argument=str(made.pk),
                    ),
                    at=at,
                )
    except IntegrityError:
        return False
    return True


def consent_to_match(trader_code: str, article: str, *, by: Actor, at: datetime) -> None:
    """The operator allows facts that an article asks consent for to be used to find policies for
    her. Said twice, it is said once. Raises: NotAllowed."""
    _check_hers(trader_code, by)
    registry.give_consent(trader_code, Purpose.POLICY_MATCH, article, by=by, at=at)


def withdraw_consent(trader_code: str, article: str, *, by: Actor, at: datetime) -> None:
    """She takes it back: from now on nothing is found with those facts. Raises: NotAllowed."""
    _check_hers(trader_code, by)
    registry.withdraw_consent(trader_code, Purpose.POLICY_MATCH, article, by=by, at=at)


def _check_hers(trader_code: str, by: Actor) -> None:
    if trader_code not in by.own:
        raise NotAllowed("只有经营者本人可以同意或者撤回。处理办法：请经营者本人登录。")
