"""Industry classes (GB/T 4754-2017) and the departments that deliver data."""

from functools import lru_cache

from getihu.reference.contracts import Department, Industry
from getihu.reference.selectors.tables import read_rows


@lru_cache
def _industries() -> dict[str, Industry]:
    return {
        r["code"]: Industry(
            r["code"], r["name"], int(r["level"]), r["section"], r["parent"] or None, r["note"]
        )
        for r in read_rows("industries.csv")
    }


def get_industry(code: str) -> Industry | None:
    """Return the section, division, group or class of GB/T 4754-2017 with this code."""
    return _industries().get(code)


def is_industry_code(code: str) -> bool:
    """Whether the code is a four-digit class of GB/T 4754-2017."""
    found = _industries().get(code)
    return found is not None and found.level == 4


def list_industry_classes() -> tuple[Industry, ...]:
    return tuple(i for i in _industries().values() if i.level == 4)


@lru_cache
def list_departments() -> tuple[Department, ...]:
    return tuple(
        Department(r["code"], r["name"], r["short_name"]) for r in read_rows("departments.csv")
    )


def department_name(code: str, *, short: bool = False) -> str:
    """Return a department's name; the code itself when unknown."""
    for department in list_departments():
        if department.code == code:
            return department.short_name if short else department.name
    return code
