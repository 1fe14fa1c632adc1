"""A row of the access policy, and whether an actor satisfies it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from getihu.accounts.contracts import Purpose, Role


class RowScope(StrEnum):
    """How the id in an address is held to the actor."""

    NONE = "none"  # the address names nothing
    PUBLIC = "public"  # it names something everybody may know of, such as a rule
    TRADER = "trader"  # it names a trader: hers, or inside her region
    QUERY = "query"  # the row is read by a query that already holds the actor's scope


@dataclass(frozen=True)
class Who:
    """Everybody a row lets in; one of them is enough."""

    anonymous: bool
    signed_in: bool
    owner: bool
    purposes: frozenset[Purpose]
    roles: frozenset[Role]


@dataclass(frozen=True)
class PolicyRow:
    """One line of the policy: these methods of this route, for these people.

    ``reads_personal``: an answer shows a trader's data to somebody who is not its owner, and so is
    itself an event. ``no_look``: why an answer about somebody's row is none, where it is none.
    """

    route: str
    methods: frozenset[str]
    who: Who
    row: RowScope
    why: str
    reads_personal: bool = False
    no_look: str = ""


@dataclass(frozen=True)
class Mask:
    """A class of facts (the data plane's ``personal``) and the roles that see it beside the owner
    and whoever she authorised."""

    personal: str
    roles: frozenset[Role]
    why: str


@dataclass(frozen=True)
class Look:
    """Somebody looked at a person's data: when, in which capacity, at what.

    ``trader_code`` is empty for what belongs to no trader, such as a rating.
    """

    trader_code: str
    at: datetime
    by: str
    what: str


@dataclass(frozen=True)
class AlarmSummary:
    """An account that looked at many people: how many, in which time, and what came of it.
    ``closed_at`` is None while nobody has said what it was."""

    id: str
    account_id: str
    login: str
    name: str
    people: int
    first_look_at: datetime
    last_look_at: datetime
    raised_at: datetime
    closed_at: datetime | None
    closed_by: str
    finding: str
