"""Who an appeal is kept from: the office complained of, everybody above and below it in its line,
and the person herself. 信访工作条例 第三十条：不得将检举、揭发材料透露或者转给被检举、揭发的人员或者单位。"""

from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from getihu.accounts.contracts import Actor, Scope
from getihu.reference import selectors as reference

ARTICLE: Final = "信访工作条例 第三十条"


def line_of(offices: Iterable[tuple[str, str]]) -> str:
    """What ``Appeal.barred`` holds for some offices (agency, division)."""
    named = sorted(set(offices))
    return "".join(f" {agency}:{division} " for agency, division in named)


def offices_in(barred: str) -> list[tuple[str, str]]:
    """The offices a line names."""
    return [
        (agency, division) for agency, _, division in (p.partition(":") for p in barred.split())
    ]


def outside_line(actor: Actor) -> Q:
    """The condition that an appeal is not about the actor, her office, or its line."""
    inside = Q(pk__in=())
    if not actor.is_anonymous:
        inside |= Q(about_account=actor.account_id)
    for agency, prefix in _reach(actor):
        inside |= Q(barred__contains=f" {agency}:{prefix}")
        for above in _above(prefix):
            inside |= Q(barred__contains=f" {agency}:{above} ")
    return ~inside


def office_in_line(barred: str, agency: str, division: str) -> bool:
    """Whether an office is one that must not see an appeal, or lies above or below one."""
    prefixes = Scope(frozenset({division})).prefixes
    return any(_meets(barred, agency, prefix) for prefix in prefixes)


def is_in_line(actor: Actor, barred: str, about_account: str | None) -> bool:
    """The same, of an actor and an appeal at hand."""
    if about_account is not None and about_account == actor.account_id:
        return True
    return any(_meets(barred, agency, prefix) for agency, prefix in _reach(actor))


def _meets(barred: str, agency: str, prefix: str) -> bool:
    return f" {agency}:{prefix}" in barred or any(
        f" {agency}:{above} " in barred for above in _above(prefix)
    )


def _reach(actor: Actor) -> set[tuple[str, str]]:
    return {(grant.agency, prefix) for grant in actor.grants for prefix in grant.scope.prefixes}


def _above(prefix: str) -> set[str]:
    """The divisions a reach lies in."""
    return {prefix[:6], f"{prefix[:4]}00", reference.WENZHOU}
