"""Kinds of help are files: found by a word, leading to a rule or a matter that exists."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from getihu.kernel.errors import InvalidInput
from getihu.rulebook import selectors as rulebook
from getihu.support.selectors import helping

NEW = """id: weighing
title: 秤准不准
measure: 18
summary: 免费检定一次秤。
provider: 计量站
rule: growth.safe_consumption
matter: growth.finance_support
words: [秤, 计量, 检定]
"""


def test_every_kind_leads_to_a_rule_and_a_matter_that_exist() -> None:
    rules = {rule.id for rule in rulebook.list_rules()}
    matters = {path.stem for each in settings.MATTER_DIRS for path in Path(each).glob("*.yaml")}
    kinds = helping.list_help()
    assert kinds
    for kind in kinds:
        assert not kind.rule or kind.rule in rules, kind.id
        assert not kind.matter or kind.matter in matters, kind.id


@pytest.mark.django_db
def test_a_new_kind_is_added_by_a_file_only(tmp_path: Path, settings, client: Client) -> None:
    (tmp_path / "weighing.yaml").write_text(NEW, "utf-8")
    settings.HELP_DIRS = [*settings.HELP_DIRS, tmp_path]
    listed = client.get(reverse("portal:help-list"), {"text": "计量"}).content.decode()
    assert "秤准不准" in listed
    assert "第一次贷款" not in listed
    shown = client.get(reverse("portal:help-kind", args=["weighing"])).content.decode()
    assert reverse("portal:mine-start", args=["growth.finance_support"]) in shown
    assert reverse("portal:rule", args=["growth.safe_consumption"]) in shown


@pytest.mark.django_db
def test_a_kind_nobody_wrote_is_not_found(client: Client) -> None:
    assert client.get(reverse("portal:help-kind", args=["nothing"])).status_code == 404


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("measure: 18", "measure: 3"),
        ("id: weighing", "id: weighed"),
        ("rule: growth.safe_consumption\nmatter: growth.finance_support\n", ""),
        ("words: [秤, 计量, 检定]", "words: [秤]"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, settings, old: str, new: str) -> None:
    (tmp_path / "weighing.yaml").write_text(NEW.replace(old, new), "utf-8")
    settings.HELP_DIRS = [tmp_path]
    with pytest.raises(InvalidInput, match=r"weighing\.yaml"):
        helping.list_help()
