"""What leaves the passport: certificates, answers, who looked."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

CITY_TIME = ZoneInfo("Asia/Shanghai")


def city_day(at: datetime) -> date:
    """The day a moment falls on in the city: what a licence or a consent is good until."""
    return at.astimezone(CITY_TIME).date()


class Audience(StrEnum):
    PUBLIC = "public"
    INSPECTOR = "inspector"
    BANK = "bank"


AUDIENCE_LABELS = {
    Audience.PUBLIC: "没有登录的人",
    Audience.INSPECTOR: "执法或者办事人员",
    Audience.BANK: "银行",
}
# The items a licence can show, and what they are called.
ITEMS = {
    "name": "名称",
    "trader_code": "统一社会信用代码",
    "premises": "经营场所",
    "scope": "经营范围",
    "industry": "行业",
    "form": "组成形式",
    "established_on": "成立日期",
    "number": "证号",
    "valid_until": "有效期至",
}


@dataclass(frozen=True)
class HeldCertificate:
    """A certificate that was not taken back. ``is_valid``: it is not suspended either."""

    kind: str
    number: str
    valid_until: date | None
    is_valid: bool


@dataclass(frozen=True)
class CertificateView:
    """One certificate of the wallet. ``valid_until`` None: no end."""

    id: str
    kind: str
    title: str
    law: str
    number: str
    status_label: str
    is_valid: bool
    issued_at: datetime
    valid_until: date | None
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ScanView:
    """Who looked at a licence, when, and what she saw. ``who`` names an office, never a person."""

    at: datetime
    who: str
    scene: str
    shown: tuple[str, ...]
    answer_label: str
    is_repeat: bool
    is_own: bool


@dataclass(frozen=True)
class Shown:
    """What a scan gives. ``certificates``: what this audience may see. ``is_repeat``: the code was
    used before, perhaps as a picture of it."""

    trader_code: str
    answer: str
    answer_label: str
    why: str
    as_of: datetime | None
    audience: Audience
    certificates: tuple[CertificateView, ...]
    is_repeat: bool


@dataclass(frozen=True)
class RequestView:
    """A bank's question to a trader. ``state``: open, answered, taken_back, declined,
    too_late, over. ``asked_of`` empty: whoever scans the code."""

    id: str
    agency_name: str
    scene_title: str
    purpose: str
    wanted: tuple[tuple[str, str], ...]
    asked_at: datetime
    answer_by: datetime
    until: date
    state: str
    trader_code: str
    asked_of: str
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StreetCount:
    """A 示范街区 and how many different shops there others scanned within the days that count."""

    title: str
    county: str
    shops: int
    is_counted: bool


@dataclass(frozen=True)
class Numbers:
    """Measure 4 of the plan, counted from events. ``holders``: traders with a licence in the
    wallet; ``users``: those of them whose licence was shown to somebody else at least once;
    ``share``: users of ``active``, None while there is nobody to count."""

    scenes_used: int
    scenes_registered: int
    kinds_issued: int
    kinds_registered: int
    holders: int
    users: int
    active: int | None
    share: float | None
    streets_counted: int
    streets: tuple[StreetCount, ...]
    street_days: int
    street_shops_at_least: int
