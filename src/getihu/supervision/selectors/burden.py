"""What a trader bears: every visit of every department in a year, beside what the year allows."""

from collections import Counter
from fractions import Fraction

from getihu.access.services import over_the_wall
from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import GetihuError
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.fields import get_field, list_fields
from getihu.supervision.contracts import PLANNED, Burden, Ratios, VisitKind, VisitState
from getihu.supervision.models import Visit
from getihu.supervision.selectors.visits import view_of

RISK = "supervision.risk_class"


def burden_of(trader_code: str, year: int, *, field_id: str = "") -> Burden:
    """A trader's year. ``field_id``: planned visits and the maximum of one field alone; empty: of
    every field, the maximum being the sum over fields with a visit of hers."""
    with over_the_wall():
        found = list(
            Visit.objects.select_related("plan")
            .filter(trader_code=trader_code, year=year)
            .exclude(state=VisitState.CANCELLED)
            .order_by("-made_at")
        )
    if field_id:
        checks = set(get_field(field_id).checks)
        found = [v for v in found if checks & {item for row in v.items.values() for item in row}]
    planned = sum(1 for visit in found if visit.kind in PLANNED)
    risk = class_of(trader_code)
    most = get_field(field_id).most_a_year[risk].value if field_id else None
    return Burden(
        trader_code=trader_code,
        year=year,
        risk_class=risk,
        most=most,
        planned_count=planned,
        unplanned_count=len(found) - planned,
        left=None if most is None else max(most - planned, 0),
        visits=tuple(view_of(visit) for visit in found),
    )


def class_of(trader_code: str) -> str:
    """A trader's class by the rule on the newest data; ``unknown`` where the data do not say."""
    try:
        snapshot = dataplane.get_published_snapshot()
        decided = rulebook.list_decided(
            RISK, [trader_code], snapshot.data_until, snapshot.snapshot_id
        )
    except GetihuError:
        return "unknown"
    outcome = decided.get(trader_code, (None, None))[0]
    return outcome if outcome in get_field(list_fields()[0].id).most_a_year else "unknown"


def full_years(county_code: str, field_id: str, year: int) -> set[str]:
    """Traders of a county who had as many planned visits of a field as the least class allows, and
    whose own class allows no more."""
    field = get_field(field_id)
    counted: Counter[tuple[str, str]] = Counter()
    with over_the_wall():
        rows = Visit.objects.filter(
            place__startswith=county_code, year=year, kind__in=[kind.value for kind in PLANNED]
        ).exclude(state=VisitState.CANCELLED)
        for code, risk, items in rows.values_list("trader_code", "risk_class", "items"):
            if set(field.checks) & {item for row in items.values() for item in row}:
                counted[code, risk] += 1
    full = set()
    for (code, risk), number in counted.items():
        name = f"class_{risk.lower()}" if risk in "ABCD" and risk else "unknown"
        if number >= field.most_a_year[name].value:
            full.add(code)
    return full


def ratios_of(year: int, *, county_code: str = "") -> Ratios:
    """Measure 24: of the visits done in a year, how many a logged draw made (双随机占比), and how
    many of those several departments made together (联合占比). Re-checks are not counted: they
    follow from a visit that is."""
    with over_the_wall():
        rows = (
            Visit.objects.select_related("plan")
            .filter(year=year, place__startswith=county_code, state=VisitState.DONE)
            .exclude(kind=VisitKind.RECHECK)
        )
        visits = drawn = joint = 0
        for visit in rows:
            visits += 1
            if visit.kind == VisitKind.DRAWN and visit.plan and visit.plan.result_sha256:
                drawn += 1
                joint += len(visit.agencies) > 1
    return Ratios(
        year=year,
        visits=visits,
        drawn=drawn,
        joint=joint,
        drawn_share=Fraction(drawn, visits) if visits else None,
        joint_share=Fraction(joint, drawn) if drawn else None,
    )
