"""The same rules on Spark. Runs where Java and pyspark are (``make spark`` installs pyspark)."""

import pytest

from tests.generative.compare import batches, check, fixed_batches
from tests.generative.engines import by_spark, spark_setting, why_no_spark

pytestmark = pytest.mark.skipif(bool(why_no_spark()), reason=f"Spark：{why_no_spark()}")


def test_spark_gives_the_answers_and_reasons_of_the_evaluator():
    check(fixed_batches()[:6], {"Spark": by_spark})


def test_spark_gives_the_same_with_compiled_plans():
    with spark_setting("spark.sql.codegen.wholeStage", "true"):
        check(batches(1, 77, rules=3), {"Spark": by_spark})


def test_spark_gives_the_same_without_ansi_mode():
    with spark_setting("spark.sql.ansi.enabled", "false"):
        check(batches(2, 78), {"Spark": by_spark})
