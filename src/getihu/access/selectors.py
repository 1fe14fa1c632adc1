"""The policy as read from its file, and what it says about an actor."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db.models import F
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from getihu.access.contracts import AlarmSummary, Look, Mask, PolicyRow, RowScope, Who
from getihu.access.models import BulkAlarm
from getihu.accounts import selectors as accounts
from getihu.accounts.contracts import CITY, ROLE_LABELS, Actor, Purpose, Role, Scope
from getihu.audit import selectors as audit
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.kernel.errors import GetihuError

LOOKED = "personal.looked_at"
POLICY_FILE = Path(__file__).parent / "policy.yaml"
MASKS_FILE = Path(__file__).parent / "masks.yaml"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
SAFE_ALIASES = {"HEAD": "GET"}


class PolicyBroken(GetihuError):
    """The policy file cannot be read; says the row and what is wrong with it."""


@cache
def policy() -> tuple[PolicyRow, ...]:
    """Every row of the policy file. Raises PolicyBroken."""
    return tuple(_row(raw) for raw in yaml.safe_load(POLICY_FILE.read_text("utf-8")))


@cache
def masks() -> tuple[Mask, ...]:
    """Every row of the masks file. Raises PolicyBroken."""
    return tuple(_mask(raw) for raw in yaml.safe_load(MASKS_FILE.read_text("utf-8")))


def _mask(raw: dict[str, Any]) -> Mask:
    try:
        who = _who(raw["shown_to"])
        if who != Who(False, False, False, frozenset(), who.roles) or not raw["why"].strip():
            raise ValueError("shown_to 只写职务，why 不能空着")
        return Mask(raw["class"], who.roles, raw["why"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PolicyBroken(f"{MASKS_FILE.name} 的一行不对：{raw!r}：{error}") from error


def hidden_classes(actor: Actor, trader_code: str) -> frozenset[str]:
    """The classes of facts about a trader that this actor may not see; none for its owner."""
    if actor.may_view(trader_code):
        return frozenset()
    return frozenset(mask.personal for mask in masks() if not mask.roles & actor.roles)


def _row(raw: dict[str, Any]) -> PolicyRow:
    try:
        methods = frozenset(raw["methods"])
        if not methods or not methods <= METHODS or not raw["why"].strip():
            raise ValueError("methods 或 why 不对")
        if raw.get("reads_personal") and raw.get("no_look"):
            raise ValueError("reads_personal 和 no_look 只能写一个")
        unknown = raw.keys() - {
            "route",
            "methods",
            "who",
            "row",
            "why",
            "reads_personal",
            "no_look",
        }
        if unknown:
            raise ValueError(f"不认识的栏目 {sorted(unknown)}")
        return PolicyRow(
            route=raw["route"],
            methods=methods,
            who=_who(raw["who"]),
            row=RowScope(raw["row"]),
            why=raw["why"],
            reads_personal=raw.get("reads_personal", False),
            no_look=raw.get("no_look", ""),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PolicyBroken(f"{POLICY_FILE.name} 的一行不对：{raw!r}：{error}") from error


def _who(words: list[str]) -> Who:
    if not words:
        raise ValueError("who 不能空着")
    plain = {word for word in words if ":" not in word}
    named = [word.split(":", 1) for word in words if ":" in word]
    if plain - {"anonymous", "signed_in", "owner"} or {k for k, _ in named} - {
        "authorised",
        "role",
    }:
        raise ValueError("who 里有不认识的词")
    return Who(
        anonymous="anonymous" in plain,
        signed_in="signed_in" in plain,
        owner="owner" in plain,
        purposes=frozenset(Purpose(name) for kind, name in named if kind == "authorised"),
        roles=frozenset(Role(name) for kind, name in named if kind == "role"),
    )


def find_row(route: str, method: str) -> PolicyRow | None:
    """The row for a method of a route; None where the policy does not allow the method at all."""
    wanted = SAFE_ALIASES.get(method, method)
    return next((r for r in policy() if r.route == route and wanted in r.methods), None)


def methods_of(route: str) -> list[str]:
    """The methods the policy knows for a route."""
    return sorted(frozenset().union(*(r.methods for r in policy() if r.route == route)))


def routes(patterns: Any = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route the service answers, by its full name; the name is empty where it has none."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from routes(entry.url_patterns, inner)
        else:
            yield (f"{namespace}{entry.name}" if entry.name else ""), entry


def list_problems() -> list[str]:
    """What keeps the service from starting: routes without a row, rows without a route."""
    existing = dict(routes())
    ruled = {row.route for row in policy()}
    problems = [f"路由 {e.pattern} 没有名字，写不进权限表" for n, e in routes() if not n]
    problems += [
        f"路由 {n} 在 policy.yaml 里没有一行" for n in sorted(existing) if n and n not in ruled
    ]
    problems += [f"policy.yaml 里的 {n} 不是路由" for n in sorted(ruled) if n not in existing]
    seen: set[tuple[str, str]] = set()
    for row in policy():
        for method in sorted(row.methods):
            if (row.route, method) in seen:
                problems.append(f"policy.yaml 里 {row.route} 的 {method} 写了两次")
            seen.add((row.route, method))
    return problems


def admits(row: PolicyRow, actor: Actor) -> bool:
    """Whether the policy lets an actor ask at all, whatever the id."""
    who = row.who
    if who.anonymous or (who.signed_in and not actor.is_anonymous):
        return True
    return bool(
        (who.owner and actor.own)
        or any(purpose in _purposes(who) for _, purpose in actor.authorised)
        or who.roles & actor.roles
    )


def reaches(row: PolicyRow, actor: Actor, trader_code: str) -> bool:
    """Whether the trader an address names is within the actor's reach, for a row that asks it.

    Cost: one look-up of the trader's place, for officers of less than the whole city.
    """
    if row.row is not RowScope.TRADER:
        return True
    try:
        code = normalise_credit_code(trader_code)
    except InvalidCreditCode:
        code = ""
    who = row.who
    if (who.owner and code in actor.own) or any(
        held == code and purpose in _purposes(who) for held, purpose in actor.authorised
    ):
        return True
    scope = actor.scope(*who.roles) if who.roles else Scope(frozenset())
    return scope.covers(CITY) or (bool(scope.divisions) and scope.covers(division_of(code)))


def within(actor: Actor, route: str, method: str) -> tuple[str, ...] | None:
    """Beginnings of the division codes an actor reaches in the roles a row names, for a query that
    lists traders; None: the whole city, also those whose place nobody knows."""
    row = find_row(route, method)
    scope = actor.scope(*row.who.roles) if row and row.who.roles else Scope(frozenset())
    return None if scope.covers(CITY) else scope.prefixes


def _purposes(who: Who) -> frozenset[Purpose]:
    """Who may apply may view too."""
    return who.purposes | ({Purpose.APPLY} if Purpose.VIEW in who.purposes else frozenset())


def division_of(trader_code: str) -> str | None:
    """Where a trader is registered; None for an unknown one, which is then in nobody's region."""
    try:
        return import_string(settings.ACCESS_DIVISION_OF)(trader_code)
    except GetihuError:
        return None


def list_looks(actor: Actor) -> list[Look]:
    """Who looked at the traders this actor owns, newest first. Nobody else's are ever read."""
    looks = [look for code in sorted(actor.own) for look in list_looks_at(f"trader:{code}")]
    return sorted(looks, key=lambda look: look.at, reverse=True)


def list_looks_at(reference: str) -> list[Look]:
    """Who looked at one thing, newest first. The caller has made sure that it is the reader's:
    ``trader:…`` by ownership, ``rectification:…`` by the code of the rating."""
    kind, _, name = reference.partition(":")
    looks = [
        Look(
            trader_code=name if kind == "trader" else "",
            at=event.at,
            by=_capacity(event.body),
            what=_what_was_seen(event.body),
        )
        for event in audit.list_events_of(reference)
        if event.kind == LOOKED
    ]
    return sorted(looks, key=lambda look: look.at, reverse=True)


def list_undeclared_looks() -> list[PolicyRow]:
    """Rows that let somebody else than the owner at rows of persons without saying whether an
    answer is a look (``reads_personal``) or why it is none (``no_look``)."""
    return [
        row
        for row in policy()
        if row.row in (RowScope.TRADER, RowScope.QUERY)
        and (row.who.anonymous or row.who.signed_in or row.who.purposes or row.who.roles)
        and not (row.reads_personal or row.no_look)
    ]


def _capacity(body: dict[str, Any]) -> str:
    """The office somebody looked in; a person without one had the owner's leave."""
    labels = "、".join(ROLE_LABELS[Role(role)] for role in body["roles"])
    return labels or "您授权的人"


def _what_was_seen(body: dict[str, Any]) -> str:
    return next((row.why for row in policy() if row.route == body["route"]), "")


def list_alarms(actor: Actor, at: datetime, *, limit: int = 100) -> list[AlarmSummary]:
    """Alarms about accounts of the region this security administrator manages: open ones first,
    then newest first. None for everybody else."""
    scope = actor.scope(Role.SECURITY_ADMINISTRATOR)
    rows: Any = BulkAlarm.objects.select_related("account", "closed_by")
    ordered = rows.order_by(F("closed_at").desc(nulls_first=True), "-raised_at")
    hers = (row for row in ordered if accounts.is_administered(row.account_id, scope, at))
    return [
        AlarmSummary(
            id=str(row.pk),
            account_id=str(row.account_id),
            login=row.account.login,
            name=row.account.name,
            people=row.people,
            first_look_at=row.first_look_at,
            last_look_at=row.last_look_at,
            raised_at=row.raised_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by.name if row.closed_by else "",
            finding=row.finding,
        )
        for row in islice(hers, limit)
    ]


def alarm_is_open(alarm_id: str) -> bool:
    """Whether nobody has said yet what an alarm was; asked again before its notice goes."""
    return BulkAlarm.objects.filter(pk=uuid.UUID(alarm_id), closed_at=None).exists()
