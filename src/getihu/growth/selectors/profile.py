"""Everything held about a trader, by source and date, with what each is used for."""

from collections.abc import Mapping
from datetime import date

from django.db.models import Q

from getihu.accounts.contracts import Actor
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import TraderFacts
from getihu.growth.contracts.profile import (
    ConsentChoice,
    HeldFact,
    HeldGroup,
    ObjectionView,
    ProfileView,
    Reader,
)
from getihu.growth.models import HumanProfile, Objection
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.registry.contracts import ConsentView, Purpose
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import FactUsed
from getihu.rulebook.selectors import TYPE_RULE_ID

OPEN = (Objection.State.OPEN, Objection.State.PROMISED)
_OWN = "growth."


class NotHers(GetihuError):
    """Only the operator, or whom she lets view, sees the profile."""


def get_profile(trader_code: str, *, actor: Actor) -> ProfileView:
    """The whole profile. Raises: NotHers, UnknownTrader, NothingPublished."""
    if not actor.may_view(trader_code):
        raise NotHers("画像只给经营者本人和她授权查看的人看。处理办法：请经营者本人登录。")
    published = dataplane.get_published_snapshot()
    trader = dataplane.get_trader_facts(trader_code, published.data_until, published.snapshot_id)
    history = registry.list_consents(trader_code)
    given = {c.article: c for c in history if c.purpose is Purpose.PROFILE and c.ended_at is None}
    contested = contested_facts(trader_code)
    readers = _readers(trader.as_of)
    human = HumanProfile.objects.filter(trader_code=trader_code, ended_at=None).first()
    return ProfileView(
        trader_code=trader_code,
        name=registry.get_trader(trader_code, trader.as_of).name,
        as_of=trader.as_of,
        snapshot_id=trader.snapshot_id,
        type_decision=rulebook.decide_without(trader, TYPE_RULE_ID, set(given)),
        human=human.outcome if human else "",
        groups=_groups(trader, set(given), contested, readers),
        consents=_choices(trader.as_of, given),
        history=tuple(history),
        objections=tuple(list_objections(trader_code)),
    )


def contested_facts(trader_code: str) -> dict[str, ObjectionView]:
    """Fact → the open objection to it."""
    rows = Objection.objects.filter(trader_code=trader_code, state__in=OPEN)
    return {row.fact: objection_view(row) for row in rows}


def list_objections(trader_code: str) -> list[ObjectionView]:
    """Every objection to data of a trader, the latest first."""
    rows = Objection.objects.filter(trader_code=trader_code).order_by("-opened_at")
    return [objection_view(row) for row in rows]


def get_objection_slip(case_id: str, *, actor: Actor) -> tuple[str, bytes] | None:
    """Whose, and the slip of the decision that stood when she objected: it replays for ever. None:
    no such objection of hers."""
    row = Objection.objects.filter(case=case_id).first()
    if row is None or not actor.may_view(row.trader_code):
        return None
    return row.trader_code, bytes(row.slip)


def objection_view(row: Objection) -> ObjectionView:
    declared = dataplane.fact_catalogue()[row.fact]
    return ObjectionView(
        case_id=str(row.case),
        fact=row.fact,
        label=declared.label,
        department_name=reference.department_name(row.department),
        shown=row.shown,
        shown_after=row.shown_after,
        state=row.state,
        state_label=row.get_state_display(),
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        slip_sha256=row.slip_sha256,
        changes=_changes(row) if row.state == Objection.State.CORRECTED else (),
        is_owed=row.state == Objection.State.PROMISED and _came_unchanged(row),
    )


def _came_unchanged(row: Objection) -> bool:
    """Whether the department's data came again since, without what it promised."""
    published = dataplane.get_published_snapshot()
    if published.snapshot_id == row.snapshot_id:
        return False
    before = dataplane.get_trader_facts(row.trader_code, row.as_of, row.snapshot_id)
    now = dataplane.get_trader_facts(row.trader_code, published.data_until, published.snapshot_id)
    return now.values[row.fact].delivery_id != before.values[row.fact].delivery_id


def _changes(row: Objection) -> tuple[tuple[str, str, str], ...]:
    """What the corrected datum changed, rule by rule, on the same day. Both as the consents allow
    today; the slip holds what was decided then."""
    try:
        before = dataplane.get_trader_facts(row.trader_code, row.as_of, row.snapshot_id)
        after = dataplane.get_trader_facts(row.trader_code, row.as_of, row.snapshot_after)
    except GetihuError:
        return ()
    given = registry.consents_given([row.trader_code], Purpose.PROFILE)
    allowed = given.get(row.trader_code, set())
    found = []
    for rule in rulebook.readers_of_facts(row.as_of).get(row.fact, ()):
        asked = allowed if rule.id.startswith(_OWN) else None
        old = rulebook.decide_without(before, rule.id, asked)
        new = rulebook.decide_without(after, rule.id, asked)
        if old.outcome != new.outcome:
            found.append((rule.title, old.outcome_label, new.outcome_label))
    return tuple(found)


def _readers(as_of: date) -> dict[str, tuple[Reader, ...]]:
    return {
        fact: tuple(Reader(rule.id, rule.title) for rule in rules)
        for fact, rules in rulebook.readers_of_facts(as_of).items()
    }


def _groups(
    trader: TraderFacts,
    given: set[str],
    contested: Mapping[str, ObjectionView],
    readers: Mapping[str, tuple[Reader, ...]],
) -> tuple[HeldGroup, ...]:
    contracts, protected = dataplane.dataset_contracts(), rulebook.protected_facts()
    by_dataset: dict[str, list[FactUsed]] = {}
    for fact in rulebook.show_facts(trader):
        if fact.dataset:
            by_dataset.setdefault(fact.dataset, []).append(fact)
    return tuple(
        HeldGroup(
            department=facts[0].department,
            department_name=facts[0].department_name,
            dataset=dataset,
            title=contracts[dataset].title,
            ground=contracts[dataset].legal_ground,
            facts=tuple(
                HeldFact(
                    name=f.name,
                    label=f.label,
                    shown=f.shown,
                    why_unknown=f.why_unknown,
                    recorded_on=f.recorded_on,
                    covered_until=f.covered_until,
                    article=protected.get(f.name, ""),
                    is_used=protected.get(f.name, "") in {"", *given},
                    readers=readers.get(f.name, ()),
                    objection=contested.get(f.name),
                )
                for f in facts
            ),
        )
        for dataset, facts in by_dataset.items()
    )


def _choices(as_of: date, given: Mapping[str, ConsentView]) -> tuple[ConsentChoice, ...]:
    """What she may allow: over the rules of growth in force."""
    facts: dict[str, dict[str, None]] = {}
    readers: dict[str, dict[Reader, None]] = {}
    for rule in rulebook.get_rulebook().governing(as_of):
        if not rule.id.startswith(_OWN) or not rule.in_force(as_of):
            continue
        for need in rulebook.consent_needed(rule):
            facts.setdefault(need.article, {}).update(dict.fromkeys(need.labels))
            readers.setdefault(need.article, {})[Reader(rule.id, rule.title)] = None
    return tuple(
        ConsentChoice(article, tuple(facts[article]), tuple(readers[article]), given.get(article))
        for article in sorted(facts)
    )


def may_change(trader_code: str, fact: str) -> bool:
    """Whether an objection to a fact can be opened now."""
    declared = dataplane.fact_catalogue().get(fact)
    if declared is None or not declared.dataset:
        return False
    return not Objection.objects.filter(
        Q(state__in=OPEN), trader_code=trader_code, fact=fact
    ).exists()
