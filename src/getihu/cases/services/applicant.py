"""What an applicant does: draft, hand in, take back."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_officers
from getihu.cases.machine import FINAL, Side, State
from getihu.cases.matters.bundle import WholeBundle
from getihu.cases.matters.load import get_matter
from getihu.cases.matters.model import Matter
from getihu.cases.models import Case, Definition, KeptTerms, MaterialRequest, StageRun
from getihu.cases.ports import consequences
from getihu.cases.selectors import DESK_ROLES
from getihu.cases.selectors.definitions import matter_of, terms_text, text_of
from getihu.cases.services.contesting import note_contested
from getihu.cases.services.rights import check_starter, locked_case
from getihu.cases.services.steps import (
    IllegalMove,
    day_of,
    division_of,
    end_case,
    file_of,
    move_case,
    start_clock,
)
from getihu.kernel.errors import GetihuError


class NoOwner(GetihuError):
    """Nobody in the agency could take the case."""


@transaction.atomic
def open_draft(
    matter_id: str,
    trader_code: str,
    *,
    place: str,
    by: Actor,
    at: datetime,
    continues: uuid.UUID | None = None,
) -> uuid.UUID:
    """Open a draft for a trader whose shop stands in ``place`` (town, else county code).

    ``continues`` is an ended case this one takes up again. Raises NotAllowed, UnknownMatter.
    """
    matter = get_matter(matter_id)
    check_starter(matter, trader_code, by)
    if continues is not None:
        earlier = Case.objects.filter(pk=continues, trader_code=trader_code).first()
        if earlier is None or State(earlier.state) not in FINAL:
            raise IllegalMove("只有已经办结的办件可以另开一件接着办。")
    account = uuid.UUID(by.account_id)
    return create_case(matter, trader_code, place, account, at, continues=continues).pk


def create_case(
    matter: Matter,
    trader_code: str,
    place: str,
    opened_by: uuid.UUID,
    at: datetime,
    *,
    form: Mapping[str, object] | None = None,
    continues: uuid.UUID | None = None,
) -> Case:
    """Make a draft that runs by the matter as it is here, whatever its file says later."""
    case = Case.objects.create(
        number=new_number(at),
        matter_id=matter.id,
        trader_code=trader_code,
        division=division_of(matter.handler, place),
        agency=matter.handler.department,
        form=dict(form or {}),
        opened_by_id=opened_by,
        opened_at=at,
        continues_id=continues,
        definition_id=keep_definition("matter", matter.id, matter, at),
    )
    StageRun.objects.bulk_create(
        StageRun(
            case=case,
            stage_id=stage.id,
            department=stage.handler.department,
            division=division_of(stage.handler, place),
            status=StageRun.Status.WAITING,
        )
        for stage in matter.stages
    )
    return case


def keep_definition(kind: str, name: str, thing: Matter | WholeBundle, at: datetime) -> str:
    """Keep a definition's text once; returns its digest."""
    text, sha256 = text_of(thing)
    kept = {"kind": kind, "name": name, "text": text, "kept_at": at}
    Definition.objects.get_or_create(sha256=sha256, defaults=kept)
    return sha256


def _keep_terms(matter: Matter, at: datetime) -> str:
    """Keep the terms a case of a matter runs by once; returns their digest."""
    text, sha256 = terms_text(matter)
    KeptTerms.objects.get_or_create(sha256=sha256, defaults={"text": text, "kept_at": at})
    return sha256


def new_number(at: datetime) -> str:
    return f"{day_of(at):%Y%m%d}-{secrets.token_hex(4).upper()}"


@transaction.atomic
def save_draft(case_id: uuid.UUID, form: Mapping[str, object], *, by: Actor) -> None:
    """Keep answers of a draft, complete or not. Raises NotAllowed, IllegalMove."""
    case = locked_case(case_id, by)
    if case.state not in (State.DRAFT, State.CORRECTION):
        raise IllegalMove("已经提交，不能再改。要改请先撤回。")
    check_starter(matter_of(case), case.trader_code, by)
    known = {field.id for field in matter_of(case).form}
    if unknown := sorted(set(form) - known):
        raise IllegalMove(f"这件事项没有这些内容：{'、'.join(unknown)}。")
    case.form = {**case.form, **form}
    case.save(update_fields=["form"])


@transaction.atomic
def submit(case_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Hand in a draft, or what was asked for. The first submission gives the case its owner.

    Raises IllegalMove naming every answer that is missing; NoOwner.
    """
    case = locked_case(case_id, by)
    check_starter(matter_of(case), case.trader_code, by)
    hand_in(case, by=by, at=at)


def hand_in(case: Case, *, by: Actor, at: datetime) -> None:
    """Submit a locked case for somebody who may. Raises as ``submit``."""
    matter = matter_of(case)
    missing = [f.label for f in matter.form if f.required and case.form.get(f.id) in (None, "")]
    if missing:
        raise IllegalMove(f"还没有填：{'、'.join(missing)}。")
    for each in consequences():
        each.before_submission(file_of(case), by=by, at=at)
    if case.state == State.CORRECTION:
        MaterialRequest.objects.filter(case=case, answered_at=None).update(answered_at=at)
    else:
        case.owner_id = _choose_owner(case, at)
        case.submitted_at = at
        case.terms_id = _keep_terms(matter, at)
        _drop_stages(case, matter)
    move_case(case, State.SUBMITTED, side=Side.APPLICANT, by=by, at=at)
    start_clock(case, "", matter.acceptance_clock, at)
    note_contested(case, matter, by=by, at=at)


@transaction.atomic
def withdraw(case_id: uuid.UUID, *, by: Actor, at: datetime, reason: str = "") -> None:
    """The applicant takes the case back, or deletes a draft."""
    case = locked_case(case_id, by)
    check_starter(matter_of(case), case.trader_code, by)
    after = State.DISCARDED if case.state == State.DRAFT else State.WITHDRAWN
    end_case(case, after, by=by, at=at, reason=reason, side=Side.APPLICANT)


def _drop_stages(case: Case, matter: Matter) -> None:
    """Leave out the stages the answers do not need, before any office has seen the case."""
    unneeded = [
        stage.id
        for stage in matter.stages
        if stage.when and case.form.get(stage.when.answer) not in stage.when.is_
    ]
    StageRun.objects.filter(case=case, stage_id__in=unneeded).delete()


def _choose_owner(case: Case, at: datetime) -> uuid.UUID:
    """The window officer over the place with the fewest open cases; by id where equal."""
    for role in DESK_ROLES:
        officers = list_officers(role, case.agency, case.division, at)
        if officers:
            ended = [state.value for state in FINAL]
            with over_the_wall():
                busy = dict(
                    Case.objects.filter(owner__in=officers)
                    .exclude(Q(state__in=ended))
                    .values_list("owner")
                    .annotate(Count("pk"))
                )
            return min(officers, key=lambda officer: (busy.get(officer, 0), officer))
    raise NoOwner("这个机关在本辖区还没有安排承办人，暂时不能提交。草稿已保存。")
