"""From what the rule says at each review to the type that stands: a pure function of history.

``step`` takes one review more; ``settle`` is its fold over a history. ``settle_sql`` says the same
to DuckDB for the whole city, from the same table of standards (tests hold the two together).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from getihu.growth.catalogue.reading import Text

UNKNOWN = "not_typed_unknown"
THREE = ("surviving", "growing", "developing")
RANK = {name: rank for rank, name in enumerate(THREE)}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Number(_Part):
    label: Text
    value: Annotated[int, Field(ge=0)]
    source: Text


class _Row(_Part):
    """Other numbers for a county, for a section of trades (GB/T 4754 letter), or for both."""

    county: str = ""
    section: str = ""
    up_reviews: Annotated[int, Field(ge=1)] | None = None
    down_reviews: Annotated[int, Field(ge=1)] | None = None
    unknown_reviews: Annotated[int, Field(ge=0)] | None = None
    source: Text


class Settling(_Part):
    """The standards against flapping."""

    up_reviews: _Number
    down_reviews: _Number
    unknown_reviews: _Number
    by: tuple[_Row, ...] = ()

    @property
    def version(self) -> str:
        text = json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def number(self, name: str, county: str, section: str) -> int:
        """One standard for a county and a section of trades."""
        for row in self.by:
            value: int | None = getattr(row, name)
            if value is not None and row.county in ("", county) and row.section in ("", section):
                return value
        standard: _Number = getattr(self, name)
        return standard.value


@dataclass(frozen=True)
class Standing:
    """What stands after some reviews. ``streak``: how many reviews in a row pointed ``towards``
    up or down; ``unknowns``: how many in a row could not say."""

    type: str = ""
    towards: str = ""
    streak: int = 0
    unknowns: int = 0


@cache
def settling() -> Settling:
    text = (Path(__file__).parent / "settling.yaml").read_text("utf-8")
    return Settling.model_validate(yaml.safe_load(text))


def settle(
    history: Iterable[str], standards: Settling, *, county: str = "", section: str = ""
) -> Standing:
    """What stands after a history of the rule's answers, oldest first."""
    standing = Standing()
    for raw in history:
        standing = step(standing, raw, standards, county=county, section=section)
    return standing


def step(
    before: Standing, raw: str, standards: Settling, *, county: str = "", section: str = ""
) -> Standing:
    """One review more. What the register or the annual report says counts at once; between the
    three types a change must be seen often enough; what is not known takes nothing away at once."""
    if raw == "unknown":
        kept = before.unknowns + 1
        if before.type in RANK and kept <= standards.number("unknown_reviews", county, section):
            return replace(before, unknowns=kept)
        return Standing(UNKNOWN, unknowns=kept)
    if raw not in RANK or before.type not in RANK or raw == before.type:
        return Standing(raw)
    towards = "up" if RANK[raw] > RANK[before.type] else "down"
    streak = before.streak + 1 if before.towards == towards else 1
    if streak >= standards.number(f"{towards}_reviews", county, section):
        return Standing(raw)
    return Standing(before.type, towards, streak)


def settle_sql(standards: Settling) -> str:
    """The step for a whole city: reads ``raw(trader_code, county_code, section, raw)`` and
    ``before(trader_code, type, towards, streak, unknowns)``; one row per trader of ``raw``."""
    ranks = " ".join(f"WHEN '{name}' THEN {rank}" for name, rank in RANK.items())
    numbers = ", ".join(
        f"{_number_sql(standards, name)} AS {name}"
        for name in ("up_reviews", "down_reviews", "unknown_reviews")
    )
    return f"""
    WITH joined AS (
      SELECT r.trader_code, r.county_code, r.section, coalesce(r.raw, 'unknown') AS raw,
        coalesce(b.type, '') AS was, coalesce(b.towards, '') AS towards,
        coalesce(b.streak, 0) AS streak, coalesce(b.unknowns, 0) + 1 AS kept, {numbers}
      FROM raw r LEFT JOIN before b USING (trader_code)
    ), ranked AS (
      SELECT *, CASE raw {ranks} END AS new_rank, CASE was {ranks} END AS old_rank FROM joined
    ), pointed AS (
      SELECT *, CASE WHEN new_rank > old_rank THEN 'up' ELSE 'down' END AS points FROM ranked
    ), counted AS (
      SELECT *, CASE WHEN towards = points THEN streak + 1 ELSE 1 END AS seen FROM pointed
    ), decided AS (
      SELECT *, CASE
          WHEN raw = 'unknown' AND old_rank IS NOT NULL AND kept <= unknown_reviews THEN 'wait'
          WHEN raw = 'unknown' THEN 'lost'
          WHEN new_rank IS NULL OR old_rank IS NULL OR raw = was THEN 'take'
          WHEN seen >= CASE points WHEN 'up' THEN up_reviews ELSE down_reviews END THEN 'take'
          ELSE 'point' END AS what
      FROM counted
    )
    SELECT trader_code, county_code, section, raw,
      CASE what WHEN 'take' THEN raw WHEN 'lost' THEN '{UNKNOWN}' ELSE was END AS type,
      CASE what WHEN 'point' THEN points WHEN 'wait' THEN towards ELSE '' END AS towards,
      CASE what WHEN 'point' THEN seen WHEN 'wait' THEN streak ELSE 0 END::INTEGER AS streak,
      CASE WHEN what IN ('wait', 'lost') THEN kept ELSE 0 END::INTEGER AS unknowns
    FROM decided ORDER BY trader_code"""


def _number_sql(standards: Settling, name: str) -> str:
    usual: _Number = getattr(standards, name)
    whens = []
    for row in standards.by:
        value = getattr(row, name)
        if value is None:
            continue
        asked = [f"r.{column} = '{_plain(text)}'" for column, text in
                 (("county_code", row.county), ("section", row.section)) if text]  # fmt: skip
        whens.append(f"WHEN {' AND '.join(asked) or 'true'} THEN {value}")
    return f"CASE {' '.join(whens)} ELSE {usual.value} END" if whens else str(usual.value)


def _plain(text: str) -> str:
    if not text.isalnum():
        raise ValueError(f"not a code: {text}")
    return text
