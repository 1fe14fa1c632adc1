"""Every worked case of every rule, decided by the rulebook."""

from functools import cache

import pytest
from django.conf import settings

from getihu.rulebook import services
from tests.rules.test_rule_files import CASES, RULES

NAMED_CASES = [
    pytest.param(rule_id, case["name"], id=f"{rule_id}-{number}")
    for rule_id in sorted(CASES)
    for number, case in enumerate(CASES[rule_id]["cases"], start=1)
]


@cache
def results(rule_id: str) -> dict:
    return {result.name: result for result in services.run_cases(rule_id)}


@pytest.mark.parametrize(("rule_id", "name"), NAMED_CASES)
def test_case(rule_id, name):
    result = results(rule_id)[name]
    assert result.passed, f"{name}：{result.message}"


def test_every_rule_folder_passes_the_check():
    assert services.check_rules(settings.RULE_DIRS) == []


def test_every_case_was_run():
    ran = {(rule_id, name) for rule_id in RULES for name in results(rule_id)}
    assert ran == {case.values for case in NAMED_CASES}
