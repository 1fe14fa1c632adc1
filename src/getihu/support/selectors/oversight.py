"""What the joint conference's office looks at: delay, gaps, what is old and unsolved, and appeals
that point at one rule."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Q, QuerySet

from getihu.accounts.contracts import Actor, Role
from getihu.support.appeals.routes import office_of
from getihu.support.appeals.unsolved import UnsolvedRule, list_rules
from getihu.support.contracts import OPEN, AppealRow, Cluster, NotAllowed, State
from getihu.support.models import Appeal, Ticket
from getihu.support.selectors.reads import (
    CITY_TIME,
    leads,
    place_name,
    rows_of,
    subject_title,
    visible_appeals,
)

CLUSTER_FROM = 3  # appeals of one subject at one node; 本项目设定，非官方
SHOWN = 50


@dataclass(frozen=True)
class Unsolved:
    """What one rule found: appeals, or for a repeated problem where and how often."""

    title: str
    rows: tuple[AppealRow, ...]
    places: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class OfficeCount:
    """How many open appeals an office has, and how many of them are overdue."""

    name: str
    open: int
    late: int


@dataclass(frozen=True)
class TicketView:
    id: str
    number: str
    node: str
    subject_title: str
    opened_at: datetime
    ended_at: datetime | None
    outcome: str
    mended_case: str
    result: str
    count: int


@dataclass(frozen=True)
class Oversight:
    open: int
    late: tuple[AppealRow, ...]
    gaps: tuple[AppealRow, ...]
    offices: tuple[OfficeCount, ...]
    unsolved: tuple[Unsolved, ...]
    clusters: tuple[Cluster, ...]
    tickets: tuple[TicketView, ...]


def oversee(actor: Actor, *, on: date) -> Oversight:
    """Everything at a glance, without what complains of the actor's own line. Raises NotAllowed."""
    if not leads(actor):
        raise NotAllowed("由联席会议办公室和市政府办公室看。")
    seen = visible_appeals(actor)
    open_ = seen.filter(state__in=[state.value for state in OPEN])
    late = open_.filter(clocks__stopped_on=None, clocks__due_on__lt=on).order_by("clocks__due_on")
    gaps = open_.filter(state=State.GAP.value).order_by("received_at")
    return Oversight(
        open=open_.count(),
        late=tuple(rows_of(late[:SHOWN], actor, on)),
        gaps=tuple(rows_of(gaps[:SHOWN], actor, on)),
        offices=_offices(open_, on),
        unsolved=tuple(_unsolved(rule, seen, actor, on) for rule in list_rules()),
        clusters=list_clusters(actor),
        tickets=list_tickets(actor),
    )


def _offices(open_: QuerySet[Appeal], on: date) -> tuple[OfficeCount, ...]:
    late = Count("pk", filter=Q(clocks__stopped_on=None, clocks__due_on__lt=on), distinct=True)
    rows = open_.values("agency", "division").annotate(many=Count("pk", distinct=True), late=late)
    found = [
        OfficeCount(office_of(row["agency"], row["division"]).name, row["many"], row["late"])
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: (-each.late, each.name)))


def _unsolved(rule: UnsolvedRule, seen: QuerySet[Appeal], actor: Actor, on: date) -> Unsolved:
    if rule.kind == "repeated":
        return Unsolved(rule.title, (), _repeated(rule, seen, on))
    rows = _rows_of_rule(rule, seen, on).order_by("received_at")
    return Unsolved(rule.title, tuple(rows_of(rows[:SHOWN], actor, on)), ())


def _rows_of_rule(rule: UnsolvedRule, seen: QuerySet[Appeal], on: date) -> QuerySet[Appeal]:
    before = _midnight(on - timedelta(days=rule.days))
    if rule.kind == "open_days":
        return seen.filter(state__in=[s.value for s in OPEN], received_at__lt=before)
    if rule.kind == "gap_days":
        return seen.filter(state=State.GAP.value, received_at__lt=before)
    chain = "continues__" * (rule.count - 1)
    open_ = seen.filter(state__in=[state.value for state in OPEN])
    return open_.filter(**{f"{chain}isnull": False}) if chain else open_


def _repeated(
    rule: UnsolvedRule, seen: QuerySet[Appeal], on: date
) -> tuple[tuple[str, str, int], ...]:
    since = _midnight(on - timedelta(days=rule.days))
    rows = seen.filter(received_at__gte=since, continues=None).exclude(subject="").exclude(place="")
    counted = (
        rows.values("place", "subject").annotate(many=Count("pk")).filter(many__gte=rule.count)
    )
    return tuple(
        (place_name(row["place"]), subject_title(row["subject"]), row["many"])
        for row in counted.order_by("-many")[:SHOWN]
    )


def list_clusters(actor: Actor) -> tuple[Cluster, ...]:
    """Appeals of one subject that point at one rule or data item and belong to no ticket yet."""
    rows = visible_appeals(actor).exclude(node="").filter(ticket=None).exclude(subject="")
    grouped: dict[tuple[str, str], list[str]] = {}
    for node, subject, number in rows.order_by("received_at").values_list(
        "node", "subject", "number"
    ):
        grouped.setdefault((node, subject), []).append(number)
    found = [
        Cluster(subject, subject_title(subject), node, node.partition(":")[2], len(n), tuple(n))
        for (node, subject), n in grouped.items()
        if len(n) >= CLUSTER_FROM
    ]
    return tuple(sorted(found, key=lambda cluster: -cluster.count))


def list_tickets(actor: Actor) -> tuple[TicketView, ...]:
    """Tickets with how many appeals stand behind each; for who leads, and for who writes rules."""
    if not (leads(actor) or Role.POLICY_WRITER in actor.roles):
        return ()
    rows = Ticket.objects.order_by(F("ended_at").desc(nulls_first=True), "-opened_at")[:SHOWN]
    counts = Counter(
        Appeal.objects.filter(ticket__in=[row.pk for row in rows]).values_list("ticket", flat=True)
    )
    return tuple(_ticket(row, counts[row.pk]) for row in rows)


def _ticket(row: Ticket, count: int) -> TicketView:
    return TicketView(
        str(row.pk), row.number, row.node, subject_title(row.subject), row.opened_at,
        row.ended_at, row.outcome, row.mended_case, row.result, count,
    )  # fmt: skip


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), CITY_TIME)
