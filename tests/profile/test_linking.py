"""Records without a code find their trader, say why, and can be taken back."""

import pytest

from getihu.growth.linkage import compare_records, estimate, score
from tests.profile import twins


@pytest.fixture(scope="module")
def scored():
    made = twins.make(seed=1, traders=900, records=200)
    compare_records(made.engine, "records", "traders")
    model = estimate(made.engine)
    return made, model, score(made.engine, model)


def test_sure_links_are_right_and_most_records_are_found(scored):
    made, _, found = scored
    sure = [each for each in found if each.is_sure]
    right = sum(made.truth[each.record] == each.trader_code for each in sure)
    real = sum(code is not None for code in made.truth.values())
    assert right / len(sure) >= 0.98
    assert right / real >= 0.80


def test_a_record_about_nobody_is_not_linked(scored):
    made, _, found = scored
    assert not [each for each in found if each.is_sure and made.truth[each.record] is None]


def test_the_score_is_the_sum_of_what_is_told(scored):
    _, model, found = scored
    from math import log2

    for each in found:
        told = sum(bits for _, _, bits in each.evidence)
        assert abs(each.weight - told - log2(model.prior / (1 - model.prior))) < 0.5


def test_twins_that_come_near_each_other_wait_for_a_person(scored):
    _, _, found = scored
    assert all(not each.is_sure for each in found if each.runner_up)
