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
    code, applicant = _stand_in(by, at)
    with over_the_wall():  # the shop is hers since a moment ago: the request does not know yet
        made = cases.open_draft(matter_id, code, place=place, by=applicant, at=at)
        cases.save_draft(made, answers, by=applicant)
    return made


@transaction.atomic
def begin_opening_bundle(
    bundle_id: str, answers: Mapping[str, object], *, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """The same for a whole bundle (一类事) that begins with the registration; returns the run."""
    code, applicant = _stand_in(by, at)
    with over_the_wall():
        made = cases.open_bundle(bundle_id, code, place=place, by=applicant, at=at)
        cases.save_bundle(made, answers, by=applicant)
    return made


def new_stand_in() -> str:
    """A code that stands for a shop that has none yet; nobody has it."""
    return PROVISIONAL + secrets.token_hex(9)[:17].upper()


def _stand_in(by: Actor, at: datetime) -> tuple[str, Actor]:
    """A code that stands for a shop that has none yet, and the applicant as whose it is."""
    code = new_stand_in()
    accounts.record_ownership(uuid.UUID(by.account_id), code, evidence="申请设立", at=at)
    return code, actor_of(by.account_id, at)
