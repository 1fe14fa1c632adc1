"""The pools, as their YAML files say: rule, admission, quota, level, publication, exit."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from django.conf import settings
from pydantic import Field, model_validator

from getihu.growth.catalogue.reading import Name, Part, Share, Source, Standard, Text, read_files
from getihu.kernel.errors import GetihuError, nearest_name

LEVEL_LABELS = {"county": "县级", "city": "市级", "province": "省级"}
Level = Literal["county", "city", "province"]


class UnknownPool(GetihuError):
    """No pool has this id."""

    exit_code = 3


class Admission(Part):
    """How one comes in. ``machine``: whoever the rule says yes to, at once (the machine may give).
    ``type``: whose published type this is. ``people``: by a recognition somebody decided."""

    by: Literal["machine", "type", "people"]
    rule: str = ""
    value: str = ""  # of the type
    matter: str = ""

    @model_validator(mode="after")
    def _fits(self) -> "Admission":
        wanted = {"machine": self.rule, "type": self.value, "people": self.matter}[self.by]
        if not wanted:
            raise ValueError("machine 要写 rule，type 要写 value，people 要写 matter")
        return self


class Leaving(Part):
    """How one leaves. ``with_type``: the move of the type was told and open to objection already.
    ``rule``: told, and after the days to object. ``people``: it takes something away, so a person
    decides with reason and article, whatever the rule says."""

    by: Literal["with_type", "rule", "people"]
    notice: str = ""  # a statutory term, cases/clocks/terms.yaml
    source: Text


class Quota(Part):
    """At most a share of a stock of traders in the county. ``id`` is shared by pools that count
    together."""

    id: Name
    share: Share
    of: Literal["growing_and_developing", "registered"]
    of_source: Text


class Target(Part):
    """A number of the plan this pool counts towards; pools with one ``id`` count together."""

    id: Name
    label: Text
    count: Annotated[int, Field(gt=0)]
    source: Text


class Yearly(Part):
    """When the pool is refreshed and published every year."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    source: Text


class Pool(Part):
    """One pool. ``publishes``: names of shops, or counts alone with ``why_counts``."""

    id: Name
    title: Text
    short: Text
    summary: Text
    group: Literal["three_types", "four_kinds", "conversion", "lists"]
    measure: Annotated[int, Field(ge=1, le=26)]
    source: Source
    admission: Admission
    leaving: Leaving
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    publishes: Literal["names", "counts"]
    why_counts: str = ""
    yearly: Yearly
    objection: Text  # a statutory term: how long a list is open to objection
    quota: Quota | None = None
    term_months: Standard | None = None
    target: Target | None = None
    privileges: tuple[str, ...] = ()  # matters that stand open to members

    @model_validator(mode="after")
    def _says_why(self) -> "Pool":
        if self.publishes == "counts" and not self.why_counts:
            raise ValueError("只公布数字的，要写为什么（why_counts）")
        return self


GROUP_LABELS = {
    "three_types": "三型",
    "four_kinds": "四类（名、特、优、新）",
    "conversion": "个转企",
    "lists": "名录和清单",
}


def all_pools() -> dict[str, Pool]:
    """Every pool of ``settings.POOL_DIRS`` by id. Raises InvalidInput."""
    files = [path for folder in settings.POOL_DIRS for path in sorted(Path(folder).glob("*.yaml"))]
    return _read(tuple((path, path.stat().st_mtime_ns) for path in files))


def get_pool(pool_id: str) -> Pool:
    """One pool. Raises UnknownPool, InvalidInput."""
    found = all_pools()
    if pool_id not in found:
        near = nearest_name(pool_id, found)
        hint = f"是不是想找 {near}？" if near else "全部的库见 getihu pools list。"
        raise UnknownPool(f"没有编号为“{pool_id}”的库。{hint}")
    return found[pool_id]


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int], ...]) -> dict[str, Pool]:
    order = list(GROUP_LABELS)
    found = read_files((path for path, _ in files), Pool)
    return dict(sorted(found.items(), key=lambda pair: order.index(pair[1].group)))
