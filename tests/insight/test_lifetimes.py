"""The survival curve: published references, another program, and lives made up at random."""

import csv
import random
from collections import defaultdict

import pytest
from django.conf import settings

from getihu.insight.lifetimes import kaplan_meier, survival_at

DATA = settings.SHARED_DIR / "data" / "09_survival"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"没有参考数据 {DATA}")


def rows(name):
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lives(pairs):
    counted = defaultdict(lambda: [0, 0])
    for time, event in pairs:
        counted[int(time)][0 if int(event) else 1] += 1
    return [(time, *both) for time, both in counted.items()]


@needs_data
def test_a_published_trial_comes_out_as_published():
    patients = rows("km_reference_freireich_1963.csv")
    expected = rows("expected_survival_values.csv")
    for group in {each["group"] for each in patients}:
        steps = {
            s.time: s
            for s in kaplan_meier(
                lives((p["time"], p["event"]) for p in patients if p["group"] == group)
            )
        }
        told = [each for each in expected if each["case"] == group]
        assert told and steps.keys() == {int(each["time"]) for each in told}
        for each in told:
            step = steps[int(each["time"])]
            assert (step.at_risk, step.ended) == (int(each["at_risk"]), int(each["events"]))
            assert step.survival == pytest.approx(float(each["survival"]), abs=1e-6)


@needs_data
def test_licences_of_another_city_come_out_as_another_program_says():
    lifelines = pytest.importorskip("lifelines")
    licences = [
        (max(int(each["days_to_2026_03_01_or_end"]), 0) // 30, int(each["event"]))
        for each in rows("nyc_licences_1100_no_names.csv")
    ]
    same_as_lifelines(lifelines, licences)


def test_lives_at_random_come_out_as_another_program_says():
    lifelines = pytest.importorskip("lifelines")
    chance = random.Random(1963)
    for people in (1, 2, 30, 400):
        pairs = [(chance.randrange(60), int(chance.random() < 0.4)) for _ in range(people)]
        same_as_lifelines(lifelines, pairs)


def test_who_was_seen_only_later_was_at_no_risk_before():
    lifelines = pytest.importorskip("lifelines")
    chance = random.Random(2009)
    people = [
        (entered, entered + 1 + chance.randrange(30), int(chance.random() < 0.4))
        for entered in (chance.choice((0, 0, 3, 9, 20)) for _ in range(300))
    ]
    entered, times, events = zip(*people, strict=True)
    fitter = lifelines.KaplanMeierFitter().fit(times, events, entry=entered)
    late = [(time, 1) for time in entered if time]
    steps = kaplan_meier(lives(zip(times, events, strict=True)), late)
    assert len(steps) > 20
    for step in steps:
        assert step.survival == pytest.approx(fitter.survival_function_at_times(step.time).iloc[0])
    as_if_always_seen = kaplan_meier(lives(zip(times, events, strict=True)))
    assert as_if_always_seen[10].survival > steps[10].survival


def same_as_lifelines(lifelines, pairs):
    fitter = lifelines.KaplanMeierFitter().fit(*zip(*pairs, strict=True))
    bands = fitter.confidence_interval_survival_function_
    for step in kaplan_meier(lives(pairs)):
        assert step.survival == pytest.approx(fitter.survival_function_at_times(step.time).iloc[0])
        if step.low is not None:
            low, high = bands.loc[step.time]
            assert (step.low, step.high) == (pytest.approx(low), pytest.approx(high))


def test_who_is_still_there_is_no_end():
    """Control: counting those still trading as ended moves the curve."""
    seen = [(12, 1, 3), (36, 0, 6)]
    assert survival_at(kaplan_meier(seen), 36).survival == pytest.approx(0.9)
    as_ended = [(time, ended + left, 0) for time, ended, left in seen]
    assert survival_at(kaplan_meier(as_ended), 36).survival == 0
    assert survival_at(kaplan_meier(seen), 11) is None


def test_a_life_cannot_be_negative():
    with pytest.raises(ValueError, match="negative"):
        kaplan_meier([(-1, 1, 0)])
