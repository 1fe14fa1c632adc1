"""The people of two counties who tell and handle appeals."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Duty, Role
from getihu.accounts.selectors import actor_of
from getihu.support import selectors, services

BEFORE = datetime(2026, 1, 5, tzinfo=UTC)
AT = datetime(2026, 11, 2, 1, tzinfo=UTC)  # 2026-11-02 09:00 in Wenzhou, a Monday
SHOP, FAR = "92330302MA2ECR1A0J", "92330382MA2JXW6N1X"
LUCHENG, YUEQING, WUMA, CITY = "330302", "330382", "330302006", "330300"
NO_POWER = "五马街一带停电三天了，店里的冰柜都坏了，供电也没有人来"
WHERE = "鹿城区五马街道五马街12号"


def days(count: float) -> datetime:
    return AT + timedelta(days=count)


def on(count: float = 0):
    return selectors.reads.day_of(days(count))


def officer(login: str, role: Role, agency: str, division: str) -> Actor:
    key = accounts.open_account(login=login, name=f"示例{login}", duty=Duty.BUSINESS, at=BEFORE)
    accounts.assign(key, role, agency=agency, division=division, reason="到岗", at=BEFORE, by=None)
    return actor_of(key, AT)


def person(login: str, *traders: str) -> Actor:
    key = accounts.open_account(login=login, name=f"示例{login}", duty=Duty.PERSON, at=BEFORE)
    for code in traders:
        accounts.record_ownership(key, code, evidence="登记的经营者", at=BEFORE)
    return actor_of(key, AT)


@dataclass(frozen=True)
class Cast:
    owner: Actor
    stranger: Actor
    desk: Actor
    chief: Actor
    power: Actor
    power_chief: Actor
    water: Actor
    town: Actor
    yueqing: Actor
    lead: Actor
    government: Actor
    discipline: Actor


def make_cast() -> Cast:
    return Cast(
        owner=person("owner", SHOP),
        stranger=person("stranger", FAR),
        desk=officer("desk", Role.WINDOW_OFFICER, "amr", LUCHENG),
        chief=officer("chief", Role.SUPERVISOR, "amr", LUCHENG),
        power=officer("power", Role.CASE_OFFICER, "power", LUCHENG),
        power_chief=officer("power-chief", Role.SUPERVISOR, "power", LUCHENG),
        water=officer("water", Role.CASE_OFFICER, "water", LUCHENG),
        town=officer("town", Role.CASE_OFFICER, "town", WUMA),
        yueqing=officer("yueqing", Role.WINDOW_OFFICER, "amr", YUEQING),
        lead=officer("lead", Role.SUPERVISOR, "amr", CITY),
        government=officer("government", Role.COCKPIT_VIEWER, "government", CITY),
        discipline=officer("discipline", Role.CASE_OFFICER, "discipline", LUCHENG),
    )


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


def told(cast: Cast, text: str = NO_POWER, **more):
    asked = {"place_text": WHERE, "trader_code": SHOP, "by": cast.owner, "at": AT}
    return services.file_appeal(text, **(asked | more))


def assigned(cast: Cast, subject: str = "power", **more):
    """An appeal at the office that is competent, decided by the desk that read it first."""
    filed = told(cast, **more)
    services.assign(filed.id, subject, by=cast.desk, at=more.get("at", AT))
    return filed
