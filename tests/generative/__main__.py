"""The long run of ``make generative``: fresh rules and traders through every engine until time is
up or two engines disagree.

GENERATIVE_SECONDS (1800) bounds it, GENERATIVE_SEED (0) is the first seed: one seed, one batch.
"""

import os
import sys
import time
from collections import Counter

BATCHES_A_SEED = 4
SPARK_EVERY = 5  # one seed in five goes through Spark as well: a job costs seconds
PROGRESS_SECONDS = 10


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from tests.generative.compare import batches, differences, report
    from tests.generative.engines import ENGINES, by_evaluator, by_spark
    from tools.run_tests import why_no_spark

    seconds = int(os.environ.get("GENERATIVE_SECONDS", "1800"))
    seed = int(os.environ.get("GENERATIVE_SEED", "0"))
    no_spark = why_no_spark()
    print(f"引擎：逐户计算、{'、'.join(ENGINES)}{'' if no_spark else '、Spark'}；最多 {seconds} 秒")
    if no_spark:
        print(f"未运行：Spark：{no_spark}")
    started = said = time.monotonic()
    outcomes: Counter = Counter()
    rules = 0
    while time.monotonic() - started < seconds:
        engines = dict(ENGINES)
        if not no_spark and seed % SPARK_EVERY == 0:
            engines["Spark"] = by_spark
        for batch in batches(BATCHES_A_SEED, seed):
            found = next(differences(batch, engines), None)
            if found is not None:
                print(f"种子 {seed}：不一致，正在缩小…", flush=True)
                print(report(found, engines[found.engine]))
                return 1
            rules += len(batch.made)
            answers = by_evaluator(batch.rules, batch.table, batch.as_of)
            outcomes.update(answer.outcome for answer in answers.values())
        seed += 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            print(_progress(said - started, seed, rules, outcomes), flush=True)
    print(_progress(time.monotonic() - started, seed, rules, outcomes))
    print("各引擎一致。")
    return 0


def _progress(seconds: float, seed: int, rules: int, outcomes: "Counter[str | None]") -> str:
    shown = "，".join(f"{name or 'not_applicable'} {n}" for name, n in outcomes.most_common())
    return (
        f"{seconds:.0f} 秒，下一个种子 {seed}，{rules} 条规则，{outcomes.total()} 个判定：{shown}"
    )


if __name__ == "__main__":
    sys.exit(main())
