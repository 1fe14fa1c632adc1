"""What a trader bears: every visit of every department in a year, beside what the year allows."""

from collections import Counter
from contextlib import nullcontext
from fractions import Fraction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.fields import CLASSES, agencies_of, get_field
from getihu.supervision.contracts import PLANNED, Burden, Ratios, VisitKind, VisitState
from getihu.supervision.models import Visit
from getihu.supervision.selectors.visits import visible_visits

RISK = "supervision.risk_class"


def burden_of(trader_code: str, field_id: str, year: int, *, actor: Actor | None) -> Burden:
    """A trader's year in one field. ``actor``: as far as she may see, so that her page does not
    tell of a draw before it is published; None: everything, for planning."""
    with over_the_wall() if actor is None else nullcontext():
        kinds = [
            visit.kind
            for visit in visible_visits(actor).filter(trader_code=trader_code, year=year)
            if visit.state != VisitState.CANCELLED and field_id in visit.items
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


def risk_class(outcome: str | None) -> str:
    """The class an outcome of the rule stands for; ``unknown`` for every other."""
    return outcome if outcome in CLASSES else "unknown"


def count_planned(field_id: str, year: int) -> Counter[str]:
    """Trader code → planned visits of a field in a year, done or to come, whoever planned them."""
    with over_the_wall():
        rows = Visit.objects.filter(year=year, kind__in=PLANNED, items__has_key=field_id)
        return Counter(
            rows.exclude(state=VisitState.CANCELLED).values_list("trader_code", flat=True)
        )


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
