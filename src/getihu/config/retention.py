"""How long what is kept of people stays, and its erasing once a day. The terms are data with their
sources (``retention.yaml``)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction
from django.utils.module_loading import import_string

from getihu.audit import selectors as log
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months

FILE = Path(__file__).parent / "retention.yaml"
SWEPT = "retention.swept"
EVERY = timedelta(days=1)
DAYS = {"days": 1, "months": 30.4, "years": 365.25}  # to compare two terms


class RetentionBroken(GetihuError):
    """The file of terms cannot be read; names the class and what is wrong with it."""


@dataclass(frozen=True)
class KeptClass:
    """One class of what is kept, or why nothing of it goes (``not_erased``)."""

    id: str
    what: str
    since: str = ""
    keep: tuple[str, int] | None = None
    source: str = ""
    official: bool = False
    erased_by: str = ""
    not_erased: str = ""

    def over_before(self, at: datetime) -> datetime:
        """The moment before which the term is over at ``at``."""
        assert self.keep is not None
        unit, count = self.keep
        if unit == "days":
            return at - timedelta(days=count)
        day = add_months(at.date(), -count * (12 if unit == "years" else 1))
        return datetime.combine(day, at.timetz())


@cache
def kept_classes() -> tuple[KeptClass, ...]:
    """Every class of the file. Raises RetentionBroken."""
    return tuple(read_class(raw) for raw in yaml.safe_load(FILE.read_text("utf-8")))


def read_class(raw: dict[str, Any]) -> KeptClass:
    """One class as written. Raises RetentionBroken, also for less than the law wants."""
    name = raw.get("id", "?")
    try:
        if "not_erased" in raw:
            return KeptClass(raw["id"], raw["what"], not_erased=raw["not_erased"])
        keep, least = _term(raw["keep"]), _term(raw.get("at_least", {"days": 0}))
        if keep[1] * DAYS[keep[0]] < least[1] * DAYS[least[0]]:
            raise ValueError(f"比法律要的 {least[1]} {least[0]} 短")
        return KeptClass(
            id=raw["id"],
            what=raw["what"],
            since=raw["from"],
            keep=keep,
            source=raw["source"],
            official=raw.get("official", False),
            erased_by=raw["erased_by"],
        )
    except (KeyError, ValueError, TypeError) as error:
        raise RetentionBroken(
            f"{FILE.name} 的“{name}”不对：{error}。处理办法：对照同一文件的别的几条改。"
        ) from error


def _term(raw: dict[str, int]) -> tuple[str, int]:
    ((unit, count),) = raw.items()
    if unit not in DAYS or count < 0:
        raise ValueError(f"期限写成 {raw}")
    return unit, count


def sweep_if_due(at: datetime) -> dict[str, int]:
    """Erase what is past its term, unless that was done within a day; says in the log how much of
    each class. Safe in several processes: erasing again finds nothing."""
    last = log.last_told(SWEPT)
    if last is not None and at - last < EVERY:
        return {}
    return sweep(at)


def sweep(at: datetime) -> dict[str, int]:
    """Erase what is past its term at ``at``; returns how much by class. A class that fails holds up
    no other; the first failure is raised after all were tried, and the sweep is due again."""
    erased: dict[str, int] = {}
    failed: list[Exception] = []
    for kept in kept_classes():
        if not kept.erased_by:
            continue
        try:
            erased[kept.id] = import_string(kept.erased_by)(kept.over_before(at), at=at)
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    with transaction.atomic():
        audit.record(AuditEvent(SWEPT, "job:retention", "retention:day", at, dict(erased)))
    return erased
