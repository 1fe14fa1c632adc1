"""The same rules on Spark: what the statement says, and what Spark answers.

Spark itself runs where Java and pyspark are (``make spark`` installs pyspark).
"""

import re
from datetime import date
from decimal import Decimal

import pytest

from getihu.rulebook.compile import spark
from tests.generative.compare import Batch, batches, check, differences, fixed_batches
from tests.generative.corners import document
from tests.generative.engines import by_spark, spark_setting
from tests.generative.strategies import AS_OF, FACTS, Made, load
from tools.run_tests import why_no_spark

needs_spark = pytest.mark.skipif(bool(why_no_spark()), reason=f"Spark：{why_no_spark()}")

NO_FACTS = dict.fromkeys(FACTS)


def rule_paying(yuan: str, rounding: str = "half_up_2") -> Made:
    """A rule everyone fits, with this amount."""
    amount = {"yuan": yuan, "label": "金额", "article": "第一条", "round": rounding}
    made = document(0, {"always": "is_a"}, amount=amount)
    return Made(made, load(made))


def traders(**values: list) -> tuple[dict, ...]:
    """One trader per value, everything else unknown but ``is_a``."""
    ((name, listed),) = values.items()
    return tuple({**NO_FACTS, "is_a": True, name: value} for value in listed)


MONEY = [Decimal(n) for n in ("0.00", "0.01", "-0.01", "1.00", "-7.77", "9999999999999999.99")]
EDGES = {
    "whole": Batch(AS_OF, (rule_paying("sales_yuan"),), traders(sales_yuan=MONEY)),
    "thirds": Batch(AS_OF, (rule_paying("sales_yuan / 3"),), traders(sales_yuan=MONEY)),
    "down": Batch(
        AS_OF, (rule_paying("sales_yuan * 0.35 / 7", "down_0"),), traders(sales_yuan=MONEY)
    ),
    "32 digits": Batch(
        AS_OF,
        (rule_paying("sales_yuan * 9999999999999 / 3", "down_2"),),
        traders(sales_yuan=MONEY),
    ),
    "long divisor": Batch(
        AS_OF, (rule_paying("sales_yuan * 1.0000007 / 7"),), traders(sales_yuan=MONEY)
    ),
    "parts of dates": Batch(
        AS_OF,
        (rule_paying(" * ".join(["extract(year from opened_on)"] * 3)),),
        traders(opened_on=[date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31)]),
    ),
    "beyond the calendar by months": Batch(
        AS_OF,
        (rule_paying("extract(day from opened_on + INTERVAL '1' MONTH)"),),
        traders(opened_on=[date(1, 1, 1), date(2024, 1, 31), date(9999, 12, 31)]),
    ),
    "beyond the calendar by days": Batch(
        AS_OF,
        (rule_paying("extract(year from opened_on - INTERVAL (700) DAY)"),),
        traders(opened_on=[date(1, 1, 1), date(2024, 1, 31), date(9999, 12, 31)]),
    ),
}


@needs_spark
@pytest.mark.parametrize("name", EDGES)
def test_spark_keeps_every_digit_at_the_edges(name):
    check([EDGES[name]], {"Spark": by_spark})


@needs_spark
def test_spark_gives_the_answers_and_reasons_of_the_evaluator():
    check(fixed_batches()[:6], {"Spark": by_spark})


@needs_spark
def test_spark_gives_the_same_with_compiled_plans():
    with spark_setting("spark.sql.codegen.wholeStage", "true"):
        check(batches(1, 77, rules=3), {"Spark": by_spark})


@needs_spark
def test_spark_gives_the_same_without_ansi_mode():
    with spark_setting("spark.sql.ansi.enabled", "false"):
        check(batches(2, 78), {"Spark": by_spark})


@needs_spark
@pytest.mark.parametrize("rewrite", spark._REWRITES, ids=lambda kind: kind.__name__)
def test_without_a_rewrite_spark_would_answer_something_else(rewrite, monkeypatch):
    monkeypatch.delitem(spark._REWRITES, rewrite)
    assert any(_is_noticed(batch) for batch in EDGES.values())


def _is_noticed(batch: Batch) -> bool:
    from pyspark.errors import PySparkException

    try:
        return next(differences(batch, {"Spark": by_spark}), None) is not None
    except PySparkException:
        return True


def test_the_statement_has_no_word_that_spark_takes_differently():
    for batch in fixed_batches():
        sql = spark.compile_sweep_spark(batch.rules, batch.as_of, "city.facts").sql
        assert re.findall(r"INT128|HUGEINT|INTERVAL|TIMESTAMP|\bDIV\b|SIGN\(", sql) == []
        assert "FROM city.facts)" in sql
