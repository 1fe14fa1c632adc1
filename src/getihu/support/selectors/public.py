"""Appeals as everybody may see them: what was chosen from lists, no word anybody wrote."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max, OuterRef, Subquery

from getihu.access.services import over_the_wall
from getihu.support.appeals.routes import office_of
from getihu.support.contracts import OPEN, STATE_LABELS, PublicAppeal, State
from getihu.support.models import Appeal, AppealClock, AppealEvent
from getihu.support.selectors.reads import place_name, subject_title

IS_OPEN = sorted(state.value for state in OPEN)


@over_the_wall()
def list_public(
    *,
    numbers: Sequence[str] = (),
    subjects: Sequence[str] = (),
    states: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 1000,
) -> list[PublicAppeal]:
    """The newest appeals that complain of no office, by number, subject, ``open`` or ``closed``,
    and time of receipt (half-open)."""
    rows = Appeal.objects.filter(barred="", about_account=None)
    if numbers:
        rows = rows.filter(number__in=numbers)
    if subjects:
        rows = rows.filter(subject__in=subjects)
    if set(states) == {"open"}:
        rows = rows.filter(state__in=IS_OPEN)
    elif set(states) == {"closed"}:
        rows = rows.exclude(state__in=IS_OPEN)
    if since:
        rows = rows.filter(received_at__gte=since)
    if until:
        rows = rows.filter(received_at__lt=until)
    running = AppealClock.objects.filter(appeal=OuterRef("pk"), stopped_on=None)
    events = AppealEvent.objects.filter(appeal=OuterRef("pk")).order_by().values("appeal")
    rows = rows.annotate(
        due=Subquery(running.values("due_on")[:1]),
        updated=Subquery(events.annotate(last=Max("at")).values("last")),
    )
    return [_public(row) for row in rows.order_by("-received_at")[:limit]]


def _public(row: Appeal) -> PublicAppeal:
    state = State(row.state)
    return PublicAppeal(
        number=row.number,
        subject=row.subject,
        subject_title=subject_title(row.subject),
        is_open=state in OPEN,
        state_label=STATE_LABELS[state],
        office_name=office_of(row.agency, row.division).name,
        place=row.place,
        place_name=place_name(row.place),
        received_at=row.received_at,
        updated_at=row.updated or row.received_at,  # type: ignore[attr-defined]
        due_on=row.due if state in OPEN else None,  # type: ignore[attr-defined]
    )
