"""Reads of the public code lists. Everything is loaded once and never changes while running."""

from getihu.reference.selectors.addresses import find_town_in_address
from getihu.reference.selectors.calendar import work_calendar
from getihu.reference.selectors.codes import (
    department_name,
    get_industry,
    is_industry_code,
    list_departments,
    list_industry_classes,
)
from getihu.reference.selectors.divisions import (
    CANGNAN,
    LONGGANG,
    WENZHOU,
    current_division,
    division_name,
    get_division,
    get_former_division,
    get_town,
    list_counties,
    list_division_changes,
    list_divisions,
    list_towns,
    list_villages,
)
from getihu.reference.selectors.places import (
    agencies_over,
    agency_name,
    complete_address,
    complete_place,
    resolve_address,
)

__all__ = [
    "CANGNAN",
    "LONGGANG",
    "WENZHOU",
    "agencies_over",
    "agency_name",
    "complete_address",
    "complete_place",
    "current_division",
    "department_name",
    "division_name",
    "find_town_in_address",
    "get_division",
    "get_former_division",
    "get_industry",
    "get_town",
    "is_industry_code",
    "list_counties",
    "list_departments",
    "list_division_changes",
    "list_divisions",
    "list_industry_classes",
    "list_towns",
    "list_villages",
    "resolve_address",
    "work_calendar",
]
