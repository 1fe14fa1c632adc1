"""A trader's profile as she sees it."""

from dataclasses import dataclass
from datetime import date, datetime

from getihu.registry.contracts import ConsentView
from getihu.rulebook.contracts import Decision


@dataclass(frozen=True)
class Reader:
    """A rule that reads a fact: what the fact is used for."""

    rule_id: str
    title: str


@dataclass(frozen=True)
class ObjectionView:
    """An objection to a datum. ``changes``: rule title, answer before, answer after, for those the
    correction changed; ``is_owed``: the department agreed, and its data came again as they were."""

    case_id: str
    fact: str
    label: str
    department_name: str
    shown: str
    shown_after: str
    state: str
    state_label: str
    opened_at: datetime
    ended_at: datetime | None
    slip_sha256: str
    changes: tuple[tuple[str, str, str], ...] = ()
    is_owed: bool = False


@dataclass(frozen=True)
class HeldFact:
    """One fact held about her: value, date, where it comes from, what it is used for.

    ``article``: the law that asks her consent before it is used; ``is_used`` False: she has not
    given it. ``objection``: the open one, if it is contested.
    """

    name: str
    label: str
    shown: str
    why_unknown: str
    recorded_on: date | None
    covered_until: date | None
    article: str
    is_used: bool
    readers: tuple[Reader, ...]
    objection: ObjectionView | None


@dataclass(frozen=True)
class HeldGroup:
    """What one department's dataset says of her. ``ground``: by which law it may be shared."""

    department: str
    department_name: str
    dataset: str
    title: str
    ground: str
    facts: tuple[HeldFact, ...]


@dataclass(frozen=True)
class ConsentChoice:
    """One thing she may allow for her profile: by which article, which facts, for which rules."""

    article: str
    facts: tuple[str, ...]
    readers: tuple[Reader, ...]
    given: ConsentView | None


@dataclass(frozen=True)
class Band:
    """One band of a figure among neighbours. ``tenths``: share in tenths, rounded; ``is_mine``."""

    label: str
    tenths: int
    is_mine: bool


@dataclass(frozen=True)
class Neighbours:
    """Traders of her trade near her, without anybody being told. ``edition`` says when the figures
    were made; ``held_over``: the edition before stands, for a few joining or leaving would show.
    ``at_least``: a lower bound of the cell's size. ``figures``: label → bands."""

    trade: str
    place: str
    edition: str
    at_least: int
    held_over: bool
    figures: tuple[tuple[str, tuple[Band, ...]], ...]


@dataclass(frozen=True)
class ProfileView:
    """Everything held about a trader. ``type_decision`` is made only with what she consents to;
    ``human`` is what a person decided in its place, empty where nobody was asked."""

    trader_code: str
    name: str
    as_of: date
    snapshot_id: str
    type_decision: Decision
    human: str
    groups: tuple[HeldGroup, ...]
    consents: tuple[ConsentChoice, ...]
    history: tuple[ConsentView, ...]
    objections: tuple[ObjectionView, ...]

    @property
    def known(self) -> int:
        return sum(not f.why_unknown for group in self.groups for f in group.facts)
