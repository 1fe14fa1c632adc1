"""Reads of the passport."""

from getihu.passport.credentials.catalogue import LICENCE, certificate_kinds, scenes
from getihu.passport.selectors.wallet import (
    count_numbers,
    count_visits,
    find_burden,
    find_grades,
    get_request,
    get_request_object,
    issuer_metadata,
    list_asked,
    list_certificates,
    list_held,
    list_scans,
    list_shown,
    list_waiting,
    status_list,
    was_followed,
)

__all__ = [
    "LICENCE",
    "certificate_kinds",
    "count_numbers",
    "count_visits",
    "find_burden",
    "find_grades",
    "get_request",
    "get_request_object",
    "issuer_metadata",
    "list_asked",
    "list_certificates",
    "list_held",
    "list_scans",
    "list_shown",
    "list_waiting",
    "scenes",
    "status_list",
    "was_followed",
]
