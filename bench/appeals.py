"""How well appeals are told apart: five-fold cross-validation on labelled petitions.

The petitions are evaluation data: read from the shared folder, never copied.
"""

import json
import random
import statistics
from collections import Counter
from pathlib import Path

from getihu.support.appeals.learner import SMOOTHING, Learner, macro_f1

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PETITIONS = "data/06_hotline/petitions_labelled.jsonl"
FOLDS, SEEDS = 5, range(10)


def read() -> list[tuple[str, str]]:
    rows = map(json.loads, (SHARED / PETITIONS).read_text("utf-8").splitlines())
    return [(f"{row['title']} {row['text']}", row["label"]) for row in rows]


def cross_validated(data: list[tuple[str, str]], seed: int) -> tuple[float, float]:
    """Macro-F1 over stratified folds, and that of always saying the commonest label."""
    data = data[:]
    random.Random(seed).shuffle(data)
    seen: Counter[str] = Counter()
    folds: list[list[tuple[str, str]]] = [[] for _ in range(FOLDS)]
    for text, label in data:
        folds[seen[label] % FOLDS].append((text, label))
        seen[label] += 1
    wanted, given = [], []
    for held in folds:
        learner = Learner(sample for fold in folds if fold is not held for sample in fold)
        wanted += [label for _, label in held]
        given += [learner.rank(text)[0][0] for text, _ in held]
    floor = [seen.most_common(1)[0][0]] * len(wanted)
    return macro_f1(wanted, given), macro_f1(wanted, floor)


def main() -> None:
    data = read()
    scores = [cross_validated(data, seed) for seed in SEEDS]
    found = [score for score, _ in scores]
    labels = Counter(label for _, label in data)
    lines = [
        "# Telling appeals apart",
        "",
        "<!-- Written by python -m bench.appeals; do not edit. -->",
        "",
        f"{len(data)} real petitions with the label an office gave them ("
        + ", ".join(f"{label} {count}" for label, count in labels.most_common())
        + f"), {FOLDS}-fold cross-validation, stratified, {len(SEEDS)} shuffles. "
        "The labels are those of the petitions, not our subjects: it is the learner that is measured. "
        f"Complement naive Bayes over pairs and triples of characters, smoothing {SMOOTHING}, "
        "not tuned on these data.",
        "",
        "| | macro-F1 |",
        "|---|---|",
        f"| learner, mean | {statistics.mean(found):.3f} |",
        f"| learner, worst and best shuffle | {min(found):.3f} – {max(found):.3f} |",
        f"| always the commonest label | {scores[0][1]:.3f} |",
        "",
        "Three subjects are suggested; a person decides each one.",
        "",
    ]
    (ROOT / "docs/benchmarks/appeals.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
