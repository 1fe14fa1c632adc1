"""People of two counties, for cases: an owner, officers of two departments, their superiors."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Duty, Role
from getihu.accounts.selectors import actor_of

AT = datetime(2026, 11, 2, 1, tzinfo=UTC)  # 2026-11-02 09:00 in Wenzhou, a Monday
SHOP = "92330302MA2ECR1A0J"
LUCHENG, YUEQING, TOWN = "330302", "330382", "330302001"


def days(count: int) -> datetime:
    return AT + timedelta(days=count)


@dataclass(frozen=True)
class Cast:
    """Actors by what they are."""

    owner: Actor
    stranger: Actor
    window: Actor
    colleague: Actor
    superior: Actor
    fire: Actor
    elsewhere: Actor


def officer(login: str, role: Role, agency: str, division: str) -> Actor:
    account = accounts.open_account(login=login, name=login, duty=Duty.BUSINESS, at=AT)
    accounts.assign(account, role, agency=agency, division=division, reason="到岗", at=AT, by=None)
    return actor_of(account, AT)


def person(login: str, *traders: str) -> Actor:
    account = accounts.open_account(login=login, name=login, duty=Duty.PERSON, at=AT)
    for code in traders:
        accounts.record_ownership(account, code, evidence="登记的经营者", at=AT)
    return actor_of(account, AT)


def make_cast() -> Cast:
    return Cast(
        owner=person("owner", SHOP),
        stranger=person("stranger", "92330382MA2JXW6N1X"),
        window=officer("window", Role.WINDOW_OFFICER, "amr", LUCHENG),
        colleague=officer("colleague", Role.CASE_OFFICER, "amr", LUCHENG),
        superior=officer("superior", Role.SUPERVISOR, "amr", LUCHENG),
        fire=officer("fire", Role.CASE_OFFICER, "fire", LUCHENG),
        elsewhere=officer("elsewhere", Role.WINDOW_OFFICER, "amr", YUEQING),
    )


def id_of(actor: Actor) -> UUID:
    return UUID(actor.account_id)
