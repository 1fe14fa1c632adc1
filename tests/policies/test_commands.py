"""The commands of awards and of the fair-competition review."""

import pytest
from click.testing import CliRunner

from getihu.config.cli import main
from tests.policies.conftest import RULE, awarded

pytestmark = pytest.mark.django_db


def test_awards_lists_programmes_and_runs_and_tells_one(city, writer, supervisor):
    run = awarded(writer, supervisor)
    listed = CliRunner().invoke(main, ["awards"])
    assert listed.exit_code == 0, listed.output
    assert str(run.pk) in listed.output
    told = CliRunner().invoke(main, ["awards", "--run", str(run.pk)]).output
    assert run.list_sha256 in told
    assert "预算 800,000.00 元" in told


def test_fairness_says_what_is_open_and_fails_until_it_is_answered(city, request):
    asked = CliRunner().invoke(main, ["fairness", RULE])
    assert asked.exit_code == 1
    assert "还没有" in asked.output
    request.getfixturevalue("supervisor")  # who answers
    assert CliRunner().invoke(main, ["fairness", RULE]).exit_code == 0


def test_fairness_reads_a_text_with_line_and_article(city, tmp_path):
    path = tmp_path / "draft.txt"
    path.write_text("总则。\n补助对象仅限本市经营者。\n", "utf-8")
    told = CliRunner().invoke(main, ["fairness", "--text", str(path)])
    assert told.exit_code == 1
    assert "draft.txt:2" in told.output
    path.write_bytes("补助".encode("gb18030"))
    assert "UTF-8" in CliRunner().invoke(main, ["fairness", "--text", str(path)]).output
