"""Opening a shop: somebody without one begins a registration."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import actor_of
from getihu.cases import services as cases
from getihu.entry.contracts import PROVISIONAL

OPENING = "entry.opening"


@transaction.atomic
def begin_opening(
    answers: Mapping[str, object], *, place: str, by: Actor, at: datetime, matter_id: str = OPENING
) -> uuid.UUID:
    """Open a draft for a shop that has no code yet; returns the case. ``place``: the town, else
    the county, where it will stand. Raises NotAllowed, UnknownMatter, IllegalMove (an answer the
    form has not)."""
    code = PROVISIONAL + secrets.token_hex(9)[:17].upper()
    account = uuid.UUID(by.account_id)
    accounts.record_ownership(account, code, evidence="申请设立", at=at)
    applicant = actor_of(by.account_id, at)
    with over_the_wall():  # the shop is hers since a moment ago: the request does not know yet
        made = cases.open_draft(matter_id, code, place=place, by=applicant, at=at)
        cases.save_draft(made, answers, by=applicant)
    return made
