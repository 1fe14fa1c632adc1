"""Reads of appeals."""

from getihu.support.appeals.routes import (
    Competent,
    Gap,
    Office,
    list_routes,
    office_of,
    route,
    settler,
)
from getihu.support.appeals.subjects import Subject, get_subject, list_groups, list_subjects
from getihu.support.contracts import OPEN, AppealNotFound
from getihu.support.selectors.handling import competent_office, is_head, list_takers
from getihu.support.selectors.lines import is_in_line, outside_line
from getihu.support.selectors.oversight import list_tickets, oversee
from getihu.support.selectors.public import list_public
from getihu.support.selectors.reads import (
    appeal_is,
    count_desk,
    count_running,
    find_by_code,
    get_appeal,
    leads,
    list_desk,
    list_mine,
    visible_appeals,
)
from getihu.support.selectors.suggesting import list_alike, suggest

__all__ = [
    "OPEN",
    "AppealNotFound",
    "Competent",
    "Gap",
    "Office",
    "Subject",
    "appeal_is",
    "competent_office",
    "count_desk",
    "count_running",
    "find_by_code",
    "get_appeal",
    "get_subject",
    "is_head",
    "is_in_line",
    "leads",
    "list_alike",
    "list_desk",
    "list_groups",
    "list_mine",
    "list_public",
    "list_routes",
    "list_subjects",
    "list_takers",
    "list_tickets",
    "office_of",
    "outside_line",
    "oversee",
    "route",
    "settler",
    "suggest",
    "visible_appeals",
]
