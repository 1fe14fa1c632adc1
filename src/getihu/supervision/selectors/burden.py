"""What a trader bears: every visit of every department in a year, beside what the year allows."""

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from fractions import Fraction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.dataplane import selectors as dataplane
from getihu.kernel.periods import add_months
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.fields import (
    CLASSES,
    FieldOfSupervision,
    agencies_of,
    get_field,
)
from getihu.supervision.contracts import PLANNED, Burden, Ratios, VisitKind, VisitState
from getihu.supervision.models import Visit
from getihu.supervision.selectors.visits import visible_visits

RISK = "supervision.risk_class"
# Not a visit of its own: taken back, or done as part of another's.
NOT_BORNE = (VisitState.CANCELLED, VisitState.JOINED)


def burden_of(trader_code: str, field_id: str, year: int, *, actor: Actor | None) -> Burden:
    """A trader's year in one field. ``actor``: as far as she may see, so that her page does not
    tell of a draw before it is published; None: everything, for planning."""
    with over_the_wall() if actor is None else nullcontext():
        kinds = [
            visit.kind
            for visit in visible_visits(actor).filter(trader_code=trader_code, year=year)
            if visit.state not in NOT_BORNE and field_id in visit.items
        ]
    planned = sum(1 for kind in kinds if kind in PLANNED)
    risk = class_of(trader_code)
    most = get_field(field_id).most_a_year[risk].value
    return Burden(risk, most, planned, len(kinds) - planned, max(most - planned, 0))


def class_of(trader_code: str) -> str:
    """A trader's class by the rule on the newest data; ``unknown`` where the data do not say."""
    try:
        snapshot = dataplane.get_published_snapshot()
        decided = rulebook.list_decided(
            RISK, [trader_code], snapshot.data_until, snapshot.snapshot_id
        )
    except (dataplane.NothingPublished, rulebook.NotSwept):
        return "unknown"
    return risk_class(decided.get(trader_code, (None, None))[0])


def is_left_alone(trader_code: str, field_id: str) -> bool:
    """Whether a trader is left out of the draws of a field because it is checked only on a trigger
    (触发式), by the newest data."""
    exempt = get_field(field_id).exempt
    if exempt is None or class_of(trader_code) not in exempt.classes:
        return False
    try:
        snapshot = dataplane.get_published_snapshot()
        decided = rulebook.list_decided(
            exempt.rule, [trader_code], snapshot.data_until, snapshot.snapshot_id
        )
    except (dataplane.NothingPublished, rulebook.NotSwept):
        return False
    return decided.get(trader_code, (None, None))[0] == "yes"


def risk_class(outcome: str | None) -> str:
    """The class an outcome of the rule stands for; ``unknown`` for every other."""
    return outcome if outcome in CLASSES else "unknown"


def count_planned(field_id: str, year: int) -> Counter[str]:
    """Trader code → planned visits of a field in a year, done or to come, whoever planned them."""
    with over_the_wall():
        rows = Visit.objects.filter(year=year, kind__in=PLANNED, items__has_key=field_id)
        return Counter(rows.exclude(state__in=NOT_BORNE).values_list("trader_code", flat=True))


def superior_checked(field: FieldOfSupervision, on: date) -> set[str]:
    """Traders the city's office has checked in a field so lately that a lower one does not check the
    same again on a day (令第49号第四十二条; rule supervision.food_recheck). A suspicion or an evident
    hazard brings a targeted check all the same."""
    if field.after_superior is None:
        return set()
    since = add_months(on, -field.after_superior.months)
    with over_the_wall():
        rows = Visit.objects.filter(
            level="city", state=VisitState.DONE, done_on__gte=since, items__has_key=field.id
        )
        return set(rows.values_list("trader_code", flat=True))


def list_uncovered(field: FieldOfSupervision, codes: Iterable[str], on: date) -> list[str]:
    """Of some traders those nobody is known to have checked in a field within its years of coverage,
    never checked first, then the longest ago (令第49号第二十二条)."""
    if field.coverage is None:
        return []
    since = add_months(on, -12 * field.coverage.years)
    with over_the_wall():
        rows = Visit.objects.filter(state=VisitState.DONE, items__has_key=field.id)
        last: dict[str, date] = {}
        for code, done_on in rows.values_list("trader_code", "done_on"):
            if done_on is not None:
                last[code] = max(done_on, last.get(code, done_on))
    due = [code for code in codes if code not in last or last[code] < since]
    return sorted(due, key=lambda code: (last.get(code, date.min), code))


def list_borne(
    since: date, until: date, *, trader_code: str | None = None
) -> list[tuple[str, str, date]]:
    """Rows (trader code, county, day) of the visits done within a period (half-open), of everybody
    or of one trader. Visits made as part of another count once. For counting: let no code out."""
    with over_the_wall():
        done = Visit.objects.filter(state=VisitState.DONE, done_on__gte=since, done_on__lt=until)
        if trader_code is not None:
            done = done.filter(trader_code=trader_code)
        rows = list(done.order_by("done_on", "id").values_list("trader_code", "place", "done_on"))
    return [(code, place[:6], on) for code, place, on in rows if on]


def ratios_of(year: int) -> Ratios:
    """Measure 24: of the visits done in a year, how many a logged draw made (双随机占比), and how
    many of those several departments made together (联合占比). Re-checks are not counted: they
    follow from a visit that is."""
    with over_the_wall():
        done = Visit.objects.filter(year=year, state=VisitState.DONE)
        done = done.exclude(kind=VisitKind.RECHECK)
        visits = done.count()
        logged = done.filter(kind=VisitKind.DRAWN, plan__result_sha256__isnull=False)
        drawn = [agencies_of(items) for items in logged.values_list("items", flat=True)]
    joint = sum(1 for agencies in drawn if len(agencies) > 1)
    return Ratios(
        year=year,
        visits=visits,
        drawn=len(drawn),
        joint=joint,
        drawn_share=Fraction(len(drawn), visits) if visits else None,
        joint_share=Fraction(joint, len(drawn)) if drawn else None,
    )
