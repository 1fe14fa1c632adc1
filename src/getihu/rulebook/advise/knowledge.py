"""What is known about facts beyond their values: ``knowledge.yaml``, read and typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.load.expression import ExpressionReader, Names
from getihu.rulebook.model.expressions import Expression, facts_in

FILE = Path(__file__).with_name("knowledge.yaml")


@dataclass(frozen=True)
class Move:
    """How a fact moves although nobody acts. ``kind`` as in the file's comment."""

    kind: str
    of: str
    months: int = 0
    exact: bool = False


@dataclass(frozen=True)
class Fixed:
    """Why no step changes a fact; ``but`` are the changes possible after all."""

    reason: str
    but: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Act:
    """How people change a fact: sentences for more, less, yes, no and single values."""

    more: str = ""
    less: str = ""
    yes: str = ""
    no: str = ""
    to: Mapping[str, str] = field(default_factory=dict)
    who: tuple[str, ...] = ("trader",)


@dataclass(frozen=True)
class Link:
    """What holds of every trader, so that facts move together."""

    holds: Expression
    facts: frozenset[str]


@dataclass(frozen=True)
class Knowledge:
    """Everything in ``knowledge.yaml`` that concerns the facts there are."""

    moves: Mapping[str, Move]
    fixed: Mapping[str, Fixed]
    renewed: Mapping[str, str]
    signed: frozenset[str]
    acts: Mapping[str, Act]
    links: tuple[Link, ...]
    ladders: Mapping[str, tuple[str, ...]]
    no_less: frozenset[str] = frozenset()
    no_gain: Mapping[str, str] = field(default_factory=dict)

    def is_fixed(self, name: str) -> bool:
        """True when neither a person nor time changes the fact."""
        return name in self.fixed and not self.fixed[name].but and name not in self.moves

    def is_unwelcome(self, name: str, now: FactScalar | None, needed: FactScalar) -> bool:
        """True for a step to earn, employ or occupy less, which nobody is advised to take."""
        if name not in self.no_less or isinstance(needed, date | str) or now is None:
            return False
        assert not isinstance(now, date | str)
        return needed < now

    def near(self, names: frozenset[str]) -> frozenset[str]:
        """The names and every fact linked to one of them, straight or through a move."""
        linked = {fact for link in self.links if link.facts & names for fact in link.facts}
        origins = {self.moves[name].of for name in names | linked if name in self.moves}
        return names | linked | origins


NO_KNOWLEDGE = Knowledge({}, {}, {}, frozenset(), {}, (), {})


def knowledge_of(catalogue: Mapping[str, FactDeclaration]) -> Knowledge:
    """What is known about the facts of a catalogue; links over other facts are left out."""
    key = tuple(
        (name, f"{fact.type.value} {fact.may_be_negative}") for name, fact in catalogue.items()
    )
    if key not in _kept:
        _kept.clear()  # one catalogue at a time in a process; tests bring their own
        _kept[key] = read_knowledge(_raw(), catalogue)
    return _kept[key]


_kept: dict[tuple[tuple[str, str], ...], Knowledge] = {}


@lru_cache(maxsize=1)
def _raw() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return content


def names_in_file() -> set[str]:
    """Every fact the file names: a test holds them against the catalogue."""
    raw = _raw()
    listed = {*raw["moves"], *(move["of"] for move in raw["moves"].values())}
    listed |= {name for group in (*raw["fixed"], *raw["renewed"]) for name in group["facts"]}
    return listed | {*raw["acts"], *raw["no_less"]}


def links_in_file() -> list[str]:
    return list(_raw()["links"])


def read_knowledge(raw: dict[str, Any], catalogue: Mapping[str, FactDeclaration]) -> Knowledge:
    fixed = {
        name: Fixed(group["reason"], tuple(map(tuple, group.get("but", {}).get(name, ()))))
        for group in raw["fixed"]
        for name in group["facts"]
    }
    links = (read_link(text, catalogue) for text in raw["links"])
    return Knowledge(
        moves={name: Move(**move) for name, move in raw["moves"].items()},
        fixed=fixed,
        renewed={name: group["note"] for group in raw["renewed"] for name in group["facts"]},
        signed=frozenset(n for n, fact in catalogue.items() if fact.may_be_negative),
        acts={name: _act(act) for name, act in raw["acts"].items()},
        links=tuple(link for link in links if link is not None),
        ladders={rule_id: tuple(rungs) for rule_id, rungs in raw["ladders"].items()},
        no_less=frozenset(raw["no_less"]),
        no_gain=raw["no_gain"],
    )


def _act(raw: dict[str, Any]) -> Act:
    return Act(**{**raw, "who": tuple(raw.get("who", ("trader",)))})


def read_link(text: str, catalogue: Mapping[str, FactDeclaration]) -> Link | None:
    """One link; None when it speaks of a fact the catalogue has not."""
    document = Document(file=str(FILE), text=text)
    scalar = Located(text, 1, 1, written=text)
    holds = ExpressionReader(document, Names(catalogue, {})).read_condition(scalar, "links")
    return None if holds is None else Link(holds, frozenset(facts_in(holds)))
