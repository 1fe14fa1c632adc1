"""What became of an objection: read from its case, never kept twice."""

import uuid

from getihu.access.services import over_the_wall
from getihu.cases import selectors as cases

OBJECTION_MATTER = "growth.objection"
_REJECTED = ("refused", "withdrawn", "not_accepted", "discarded")


def objection_outcome(case_id: uuid.UUID | None) -> str:
    """``upheld``, ``rejected``, or empty while the case is open."""
    if case_id is None:
        return ""
    with over_the_wall():  # only the answer leaves
        if cases.case_is(f"{case_id} granted"):
            return "upheld"
        return "rejected" if any(cases.case_is(f"{case_id} {s}") for s in _REJECTED) else ""
