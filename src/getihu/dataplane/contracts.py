"""What leaves the data plane: frozen descriptions of contracts, deliveries, snapshots and facts."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

FactScalar = bool | int | Decimal | date | str
"""A known value of a fact. ``None`` beside it always means unknown, never zero and never false."""


class FactType(StrEnum):
    BOOLEAN = "boolean"
    INTEGER = "integer"
    MONEY = "money"  # yuan, two decimals
    DECIMAL = "decimal"  # four decimals
    DATE = "date"
    TEXT = "text"
    ENUM = "enum"  # text from a fixed list
    CODE = "code"  # text from a code list (division, industry)


class PersonalClass(StrEnum):
    """Personal-data class of a column or fact (个人信息保护法 §4, §28)."""

    NONE = "none"
    BUSINESS = "business"  # 经营信息
    PERSONAL = "personal"  # 个人信息
    SENSITIVE = "sensitive"  # 敏感个人信息


class FactState(StrEnum):
    """Why a fact has the value it has for one trader."""

    RECORDED = "recorded"  # a department's record says so
    ABSENT = "absent"  # no record, and the delivery covering this trader is complete
    LATE = "late"  # the department's latest delivery does not reach the date asked
    HELD = "held"  # the trader's newest record waits in quarantine
    MISSING = "missing"  # no record, and absence means unknown for this fact
    UNDELIVERED = "undelivered"  # nothing of this dataset has ever been delivered for this county
    WITHHELD = "withheld"  # the law asks the operator's consent to use it, and there is none


@dataclass(frozen=True)
class Column:
    """One column of a department's file.

    ``header`` is the column's Chinese name in the file. ``values`` maps our English value to the
    label in the file (enum only). ``null_means`` says what an empty cell means.
    """

    name: str
    header: str
    type: str
    required: bool
    personal: PersonalClass
    unit: str | None = None
    null_means: str | None = None
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetContract:
    """One kind of department delivery, as its contract file in ``datasets/`` declares it.

    ``kind`` is state (a row says how things are from ``valid_on`` on), period (one row per trader
    and period) or event. A later row with the same ``key`` replaces the earlier one, from its
    own known time on. ``absence`` says what no row at all means.
    """

    id: str
    title: str
    department: str
    kind: str
    cadence: str
    grace_days: int
    key: tuple[str, ...]
    valid_on: str
    legal_ground: str
    absence: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


@dataclass(frozen=True)
class FactDeclaration:
    """One fact that rules may use.

    ``name`` is the identifier in rules; ``group`` the relation it is computed in; ``dataset`` and
    ``department`` where it comes from; ``null_means`` what unknown means for a reader.
    ``values`` maps enum values to their labels. ``consent`` names the article by which using the
    fact needs the person's written consent; empty: none known. ``may_be_negative``: a number that
    may lie below zero; every other one does not.
    """

    name: str
    label: str
    type: FactType
    unit: str | None
    group: str
    dataset: str
    department: str
    department_name: str
    null_means: str
    personal: PersonalClass
    description: str = ""
    values: dict[str, str] = field(default_factory=dict)
    consent: str = ""
    may_be_negative: bool = False


@dataclass(frozen=True)
class FactValue:
    """One fact of one trader on one date.

    ``value`` is None when unknown. ``recorded_on`` is the date of the record it rests on (None
    without a record); ``covered_until`` the last date the department's deliveries reach for this
    trader's county; ``delivery_id`` names the file it came in.
    """

    name: str
    value: FactScalar | None
    state: FactState
    recorded_on: date | None
    covered_until: date | None
    delivery_id: str | None


@dataclass(frozen=True)
class TraderFacts:
    """All facts of one trader as of ``as_of``, from one snapshot."""

    trader_code: str
    as_of: date
    snapshot_id: str
    values: dict[str, FactValue]

    def scalars(self) -> dict[str, FactScalar | None]:
        """Fact name → value (None = unknown), as the rule evaluator takes them."""
        return {name: fact.value for name, fact in self.values.items()}


@dataclass(frozen=True)
class DeliverySummary:
    """One delivery as the data officer sees it.

    Once published, ``rows_in == accepted + quarantined + duplicate``; of a held delivery
    ``quarantined`` counts the wrong rows found in it. ``status`` is published,
    held, rejected or duplicate; ``problem`` says why (empty when published). Of a rejected
    delivery nothing is believed: its dates are None and its dataset is empty.
    """

    delivery_id: str
    dataset: str
    dataset_title: str
    department: str
    department_name: str
    period: str
    issued_at: datetime | None
    received_at: datetime
    covers_until: date | None
    divisions: tuple[str, ...]
    rows_in: int
    accepted: int
    quarantined: int
    duplicate: int
    status: str
    problem: str
    corrects: str | None = None
    is_late: bool = False


@dataclass(frozen=True)
class SnapshotSummary:
    """One immutable state of all published deliveries. ``data_until`` is the default as-of date."""

    snapshot_id: str
    number: int
    published_at: datetime
    data_until: date
    deliveries: int
    rows: int


@dataclass(frozen=True)
class QuarantinedRow:
    """One row that did not come in, and what the department must do about it.

    ``line`` is the line number in the department's file. ``excerpt`` shows only the offending
    cell, and ``***`` for personal columns.
    """

    delivery_id: str
    file: str
    line: int
    column: str
    reason_code: str
    reason: str
    fix: str
    excerpt: str


@dataclass(frozen=True)
class QuarantineCount:
    """Rows held back per delivery and reason."""

    delivery_id: str
    dataset_title: str
    department_name: str
    reason_code: str
    reason: str
    rows: int


@dataclass(frozen=True)
class FeedStatus:
    """How far one department's dataset reaches.

    ``covered_until`` is the last day every county has; None before the first delivery. ``behind``
    names counties that lag the newest delivery. ``due`` is the last day, grace included, on which
    the next delivery is in time.
    """

    dataset: str
    dataset_title: str
    department: str
    department_name: str
    cadence: str
    covered_until: date | None
    behind: tuple[str, ...]
    due: date | None
    is_late: bool
    last_delivery: str | None


@dataclass(frozen=True)
class IngestReport:
    """What one ``getihu ingest`` did: every delivery seen, and the snapshot now published."""

    deliveries: tuple[DeliverySummary, ...]
    snapshot: SnapshotSummary | None
    seconds: float
