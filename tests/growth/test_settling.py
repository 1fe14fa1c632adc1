"""The standards against flapping: a pure function of history, the same for one and for all."""

import random

import duckdb
import pyarrow as pa
import pytest

from getihu.growth.catalogue.settling import Settling, Standing, settle, settle_sql, settling, step

TWICE = Settling.model_validate(
    {
        "up_reviews": {"label": "升", "value": 1, "source": "测试"},
        "down_reviews": {"label": "降", "value": 2, "source": "测试"},
        "unknown_reviews": {"label": "缺", "value": 2, "source": "测试"},
        "by": [
            {"county": "330329", "unknown_reviews": 3, "source": "测试"},
            {"section": "H", "down_reviews": 3, "source": "测试"},
        ],
    }
)
CASES = {
    "the first answer stands": (["growing"], "growing"),
    "one better review is enough": (["surviving", "growing"], "growing"),
    "one worse review changes nothing": (["growing", "surviving"], "growing"),
    "two worse reviews in a row do": (["growing", "surviving", "surviving"], "surviving"),
    "flapping never moves": (["growing", "surviving"] * 6, "growing"),
    "a worse review between better ones is forgotten": (
        ["growing", "surviving", "growing", "surviving"],
        "growing",
    ),
    "what the register says counts at once": (["developing", "not_typed_left"], "not_typed_left"),
    "back on the register, the answer stands at once": (
        ["growing", "not_typed_suspended", "surviving"],
        "surviving",
    ),
    "missing data take nothing away at once": (["growing", "unknown", "unknown"], "growing"),
    "missing data for long do": (["growing", *["unknown"] * 3], "not_typed_unknown"),
    "never known is not typed": (["unknown"], "not_typed_unknown"),
    "a gap does not forget what pointed down": (
        ["growing", "surviving", "unknown", "surviving"],
        "surviving",
    ),
}


@pytest.mark.parametrize("history, type_", CASES.values(), ids=CASES.keys())
def test_a_type_follows_its_history(history, type_):
    assert settle(history, TWICE).type == type_


def test_a_county_and_a_trade_may_have_standards_of_their_own():
    late = ["growing", *["unknown"] * 3]
    assert settle(late, TWICE, county="330329").type == "growing"
    worse = ["growing", "surviving", "surviving"]
    assert settle(worse, TWICE, section="H").type == "growing"
    assert settle([*worse, "surviving"], TWICE, section="H").type == "surviving"


def test_every_standard_in_force_says_that_it_is_ours():
    standards = settling()
    sources = [standards.up_reviews, standards.down_reviews, standards.unknown_reviews]
    assert all("本项目设定，非官方" in each.source for each in [*sources, *standards.by])


def test_one_trader_and_the_whole_city_are_settled_alike():
    rolls = random.Random(7)
    raws = ["surviving", "growing", "developing", "not_typed_left", "unknown"]
    people = [
        (str(n), rolls.choice(["330302", "330329"]), rolls.choice(["F", "H"])) for n in range(400)
    ]
    standing = {code: Standing() for code, _, _ in people}
    table = _as_table(standing)
    for _ in range(8):
        says = {code: rolls.choice(raws) for code, _, _ in people}
        raw = pa.table(
            {
                "trader_code": [code for code, _, _ in people],
                "county_code": [county for _, county, _ in people],
                "section": [section for _, _, section in people],
                "raw": [says[code] for code, _, _ in people],
            }
        )
        with duckdb.connect() as engine:
            engine.register("raw", raw)
            engine.register("before", table)
            table = engine.execute(settle_sql(TWICE)).to_arrow_table()
        standing = {
            code: step(standing[code], says[code], TWICE, county=county, section=section)
            for code, county, section in people
        }
        found = {
            row["trader_code"]: Standing(
                row["type"], row["towards"], row["streak"], row["unknowns"]
            )
            for row in table.to_pylist()
        }
        assert found == standing


def _as_table(standing):
    return pa.table(
        {
            "trader_code": list(standing),
            "type": [s.type for s in standing.values()],
            "towards": [s.towards for s in standing.values()],
            "streak": pa.array([s.streak for s in standing.values()], pa.int32()),
            "unknowns": pa.array([s.unknowns for s in standing.values()], pa.int32()),
        }
    )
