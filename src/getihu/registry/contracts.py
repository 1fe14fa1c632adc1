"""What leaves the registry: who a trader is."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True)
class TraderIdentity:
    """A trader's identity as of a date.

    ``county_name`` and ``town_name`` come from where the shop is, never from its credit code.
    ``town_name`` is None where there are no towns (龙港市) or none was delivered. The others are
    None where the register's delivery is late or held; the names then say so.
    """

    trader_code: str
    name: str
    subject_kind: str | None
    status: str
    status_label: str
    established_on: date | None
    industry_code: str | None
    industry_name: str
    county_code: str | None
    county_name: str
    town_code: str | None
    town_name: str | None
    as_of: date


@dataclass(frozen=True)
class ChangeRecord:
    """One registered change of a trader."""

    kind: str
    kind_label: str
    changed_on: date


class Purpose(StrEnum):
    """What facts may be used for, each with a consent of its own (个人信息保护法 第十四条)."""

    PROFILE = "profile"
    POLICY_MATCH = "policy_match"


PURPOSE_LABELS = {
    Purpose.PROFILE: "画像、分型和培育库",
    Purpose.POLICY_MATCH: "替您找政策",
}


@dataclass(frozen=True)
class ConsentView:
    """One consent, given once. ``ended_at`` None: it holds; ``expires_on`` is the first day it no
    longer will, None without a term."""

    purpose: Purpose
    purpose_label: str
    article: str
    how_label: str
    given_at: datetime
    expires_on: date | None
    ended_at: datetime | None
    ended_label: str
