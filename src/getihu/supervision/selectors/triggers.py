"""What the triggers bring, and how often for nothing."""

from collections import Counter
from datetime import date

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.dataplane import selectors as dataplane
from getihu.kernel.periods import add_months
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.fields import get_field
from getihu.supervision.catalogue.triggers import Trigger, list_triggers
from getihu.supervision.contracts import FalseAlarms, Finding, Signal, VisitState
from getihu.supervision.models import Visit


def false_alarms() -> list[FalseAlarms]:
    """Per trigger, over the whole city: checks it opened that are finished, and how many of them
    found nothing. Who was not there, or refused, was not checked: it is not counted."""
    with over_the_wall():
        rows = Visit.objects.filter(state=VisitState.DONE, trigger__isnull=False).exclude(
            finding__in=[Finding.NOT_FOUND, Finding.REFUSED]
        )
        finished: Counter[str] = Counter()
        nothing: Counter[str] = Counter()
        for trigger, finding in rows.values_list("trigger", "finding"):
            finished[str(trigger)] += 1
            nothing[str(trigger)] += finding == Finding.NOTHING
    return [
        FalseAlarms(t.id, t.title, t.basis, finished[t.id], nothing[t.id]) for t in list_triggers()
    ]


def list_signals(trigger: Trigger, *, actor: Actor, on: date, limit: int = 50) -> list[Signal]:
    """Traders within the actor's reach for whom the rule of a data trigger says yes on the newest
    published data, without those it brought a check to lately. A signal is no check: a person
    decides. Empty while the city has not been decided."""
    try:
        snapshot = dataplane.get_published_snapshot()
        found = rulebook.list_yes(trigger.rule, snapshot.data_until, snapshot.snapshot_id)
    except (dataplane.NothingPublished, rulebook.NotSwept):
        return []
    agencies = {get_field(each).agency for each in trigger.fields}
    reached = [
        each
        for each in found
        if any(
            grant.agency in agencies and grant.scope.covers(each.division) for grant in actor.grants
        )
    ]
    quiet = checked_lately(trigger, [each.trader_code for each in reached], on)
    return [
        Signal(trigger.id, each.trader_code, snapshot.data_until)
        for each in reached
        if each.trader_code not in quiet
    ][:limit]


def checked_lately(trigger: Trigger, codes: list[str], on: date) -> set[str]:
    """Of some traders those this trigger has brought a check to, done or to come, within its quiet
    months."""
    if not trigger.quiet_months:
        return set()
    with over_the_wall():
        rows = Visit.objects.filter(
            trigger=trigger.id,
            trader_code__in=codes,
            planned_on__gt=add_months(on, -trigger.quiet_months),
        ).exclude(state=VisitState.CANCELLED)
        return set(rows.values_list("trader_code", flat=True))
