"""What leaves insight: figures with what they rest on, targets with their progress."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class FigureView:
    """One number of an indicator on a day in a county (330300: the city), in the indicator's unit:
    a share in per cent, money in yuan, a count in its own. ``value`` None: nothing to divide by.

    ``low`` and ``high``: 95 % of an estimate, or both ends of what is unknown; None: exact.
    ``unknown``: of how many households it is not known; None: of nobody. ``is_withheld``: it would
    single people out, and stands without numbers.
    """

    as_of: date
    division: str
    value: float | None
    part: Decimal
    whole: Decimal | None
    unknown: Decimal | None
    low: float | None
    high: float | None
    digest: str
    is_withheld: bool = False


@dataclass(frozen=True)
class Revision:
    """A figure that was published before as another number."""

    as_of: date
    before: float | None
    after: float | None
    changed_at: datetime


@dataclass(frozen=True)
class Trend:
    """A straight line through the last months, drawn on to ``on``: with a 95 % band for one month.
    For counts and shares of one month after another; no forecast of what nobody saw coming."""

    on: date
    value: float
    low: float
    high: float
    months: int


@dataclass(frozen=True)
class TargetView:
    """A number the plan names against what was measured. ``at_deadline`` and ``now`` are None where
    nothing was measured then. ``is_met``: at the deadline; None: it cannot be said."""

    indicator_id: str
    number: str
    title: str
    unit: str
    target: Decimal
    direction: str
    by: date
    source: str
    at_deadline: FigureView | None
    now: FigureView | None
    is_met: bool | None
    is_met_now: bool | None
    trend: Trend | None


@dataclass(frozen=True)
class Rerun:
    """A measurement made again. ``is_same``: every figure to the last digit."""

    digest: str
    indicator_id: str
    version: int
    is_same: bool
    result_sha256: str
    again_sha256: str
    figures: int


@dataclass(frozen=True)
class CountyLoad:
    """What runs in one county, and how much of it is past its day. In the order of codes, never of
    numbers."""

    code: str
    name: str
    open_cases: int
    late_cases: int
    open_appeals: int
    late_appeals: int


@dataclass(frozen=True)
class Alert:
    """Something that needs somebody's eye. ``kind``: feed, run, case or appeal."""

    kind: str
    what: str
    since: str


@dataclass(frozen=True)
class Pulse:
    """The city's work on a day: counts and sums alone. ``paid_*``: awards that reached an account
    in the last ``paid_days`` days; ``visits``: inspections of the year, drawn and joint among them.
    """

    on: date
    open_cases: int
    late_cases: int
    open_appeals: int
    late_appeals: int
    paid_awards: int
    paid_cents: int
    paid_days: int
    visits: int
    drawn: int
    joint: int
    counties: tuple[CountyLoad, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True)
class ReportCheck:
    """A report made again. ``numbers``: figures in its sentences; ``changed``: sentences that would
    say something else."""

    quarter: str
    edition: int
    indicators: int
    numbers: int
    is_same: bool
    changed: tuple[str, ...]


@dataclass(frozen=True)
class BurdenMeter:
    """What the offices took of one trader's time in a quarter: questions nobody knew the answer
    to, files handed in, visits at the door. ``minutes`` are an estimate (本项目设定，非官方)."""

    since: date
    questions: int
    documents: int
    visits: int
    minutes: int
    minutes_before: int


@dataclass(frozen=True)
class Choices:
    """What may be asked of one published dataset, each name with its label. ``filters``: column →
    its label and its values with labels."""

    dataset: str
    title: str
    ground: str
    by: dict[str, str]
    measures: dict[str, str]
    filters: dict[str, tuple[str, dict[str, str]]]


@dataclass(frozen=True)
class Question:
    """A statistician's question: a dataset, one or two groupings, what is counted or summed, and
    one value to look at alone (``column`` empty: all)."""

    dataset: str
    by: tuple[str, ...]
    measure: str
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Explored:
    """An answer. Rows: the labels of the groups, households, the measure; the last two are None
    where the group is withheld. ``digest``: of the snapshot and the SQL, which give it again."""

    question: Question
    head: tuple[str, ...]
    measure: str
    rows: tuple[tuple[str | int | float | None, ...], ...]
    withheld: int
    sql: str
    snapshot_id: str
    data_until: date
    digest: str
