"""What leaves the registry: who a trader is."""

from dataclasses import dataclass
from datetime import date


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
