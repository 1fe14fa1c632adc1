"""Facts of made-up traders, as the data plane hands them over."""

from datetime import date
from decimal import Decimal

from getihu.dataplane.contracts import FactState, FactValue, TraderFacts
from tests.rulebook.catalogue import CATALOGUE

AS_OF = date(2026, 10, 31)
CODE = "92330302MA0000000G"
SMALL = {
    "subject_kind": "individual",
    "county_code": "330302",
    "registration_status": "active",
    "annual_sales_yuan": Decimal("120000.00"),
    "established_on": date(2024, 1, 31),
    "paid_tax_last_year": False,
    "insured_employees": 2,
}


def trader(
    changes: dict | None = None,
    *,
    as_of: date = AS_OF,
    state: FactState = FactState.LATE,
    covered_until: date | None = date(2026, 8, 31),
) -> TraderFacts:
    """``SMALL`` with changes; every fact not known has ``state`` as its reason."""
    known = {**SMALL, **(changes or {})}
    values = {}
    for name in CATALOGUE:
        value = known.get(name)
        recorded = value is not None
        values[name] = FactValue(
            name=name,
            value=value,
            state=FactState.RECORDED if recorded else state,
            recorded_on=date(2026, 9, 30) if recorded else None,
            covered_until=date(2026, 10, 31) if recorded else covered_until,
            delivery_id=f"{CATALOGUE[name].dataset}-2026-10" if recorded else None,
        )
    return TraderFacts(CODE, as_of, "s0123456789ab", values)
