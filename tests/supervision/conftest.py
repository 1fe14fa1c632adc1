"""A county whose register is written by hand, and the people who plan, draw and witness."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest

from getihu.accounts.contracts import Actor, Role
from getihu.kernel.codes import check_character, organisation_check
from getihu.supervision import services
from getihu.supervision.contracts import Chance
from getihu.supervision.services import drawing
from tests.growth.conftest import officer, operator

__all__ = ["operator"]

AT = datetime(2027, 1, 11, 1, 0, tzinfo=UTC)
LUCHENG, YUEQING = "330302", "330382"
DICE = "3162545126341512635412364"
NEW = (10, 20, 21, 23)  # of three-new trades: in classes A, A, B, D
CLASSES = ("class_a", "class_b", "class_c", "class_d")


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def code(number: int) -> str:
    organisation = f"MA{number:06}"
    first = f"92330302{organisation}{organisation_check(organisation)}"
    return first + check_character(first)


@pytest.fixture
def chief() -> Actor:
    return officer(Role.SUPERVISOR)


@pytest.fixture
def witness() -> Actor:
    return officer(Role.SUPERVISOR, 2)


@pytest.fixture
def clerk() -> Actor:
    return officer(Role.CASE_OFFICER)


@pytest.fixture
def county(monkeypatch, settings, tmp_path, chief):
    """400 traders of 鹿城 in four classes, some not of the trade, some struck off; six inspectors."""
    settings.DATA_DIR = tmp_path
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
    rows = [
        {
            "trader_code": code(n),
            "outcome": "unknown" if n % 50 == 0 else CLASSES[min(n % 10, 3)],
            "county_code": YUEQING if n >= 400 else LUCHENG,
            "industry_code": "5212" if n % 2 else "6210",
            "is_registered": "false" if n % 40 == 7 else "true",
        }
        for n in range(1, 420)
    ]
    new = [{"trader_code": code(n), "outcome": "yes" if n in NEW else "no"} for n in range(1, 420)]
    monkeypatch.setattr(
        drawing.rulebook,
        "city_outcomes",
        lambda rule, *a, facts=(): pa.Table.from_pylist(rows if rule == drawing.RISK else new),
    )
    versions = {drawing.RISK: "a" * 64, "supervision.new_trade_exempt": "b" * 64}
    monkeypatch.setattr(drawing.rulebook, "swept_versions", lambda *a: versions)
    snapshot = SimpleNamespace(data_until=date(2026, 12, 31), snapshot_id="s1")
    monkeypatch.setattr(drawing.dataplane, "get_published_snapshot", lambda: snapshot)
    town = SimpleNamespace(value="330302001")
    monkeypatch.setattr(
        drawing.dataplane,
        "list_trader_facts",
        lambda codes, *a, facts: [
            SimpleNamespace(trader_code=c, values={"town_code": town}) for c in codes
        ],
    )
    for n in range(6):
        services.enrol_inspector(
            f"LC-{n:03}",
            agency="amr",
            county_code=LUCHENG,
            qualifications=["registration", "food"] if n else ["registration"],
            by=chief,
            at=AT,
        )
    return rows


@pytest.fixture
def planned(county, chief) -> str:
    return make(chief)


def make(chief: Actor, **changes) -> str:
    asked = {
        "title": "2027年登记事项抽查",
        "field_id": "general",
        "county_code": LUCHENG,
        "year": 2027,
        "window": (date(2027, 2, 1), date(2027, 7, 1)),
        "chance": Chance.DICE,
        "between": (later(30), later(120)),
        "where": "县市场监管局三楼会议室",
    }
    return services.make_plan(**(asked | changes), by=chief, at=AT)


def drawn(plan: str, chief: Actor, witness: Actor) -> int:
    """A plan taken from the frozen lists to the public result."""
    services.commit_plan(plan, by=chief, at=later(1))
    services.enter_chance(plan, DICE, witness=witness.account_id, by=chief, at=later(31))
    count = services.draw_plan(plan, by=chief, at=later(32))
    services.publish_plan(plan, by=chief, at=later(33))
    return count


def enter(plan: str, chief: Actor, witness: Actor, minutes: int, digits: str = DICE) -> None:
    services.enter_chance(plan, digits, witness=witness.account_id, by=chief, at=later(minutes))
