"""Prints a hash per engine and statement over generated rules: run in processes with different
hash seeds, the lines must be the same."""

import hashlib
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from getihu.rulebook.compile.spark import compile_sweep_spark
    from getihu.rulebook.compile.sweep import compile_sweep
    from getihu.rulebook.explain.canonical import canonical_json
    from tests.generative.compare import batches
    from tests.generative.engines import ENGINES, by_evaluator

    made = batches(1, 5, rules=6, traders=12)
    for name, compiled in (("DuckDB", compile_sweep), ("Spark", compile_sweep_spark)):
        texts = [compiled(batch.rules, batch.as_of, "facts").sql for batch in made]
        print(name, _digest("\n".join(texts).encode()))
    for name, engine in {"evaluator": by_evaluator, **ENGINES}.items():
        answers = [engine(batch.rules, batch.table, batch.as_of) for batch in made]
        plain = [[[*key, *_plain(a)] for key, a in sorted(found.items())] for found in answers]
        print(name, _digest(canonical_json(plain)))


def _plain(answer) -> tuple:
    return (
        answer.outcome,
        None if answer.amount is None else str(answer.amount),
        None if answer.clauses is None else list(answer.clauses.items()),
        sorted(answer.deciding),
        sorted(answer.missing),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
