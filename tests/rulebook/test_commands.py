"""``getihu rules new`` and its neighbours, as a policy writer types them."""

import pytest
from click.testing import CliRunner

from getihu.config.cli import main
from tests.rulebook.texts import SMALL_SHOP, write

NAME = "policies.night_market_2026"


@pytest.fixture
def folder(tmp_path, settings, monkeypatch):
    home = tmp_path / "policies" / "rules"
    home.mkdir(parents=True)
    settings.RULE_DIRS = [home]
    settings.DATA_DIR = tmp_path
    monkeypatch.chdir(tmp_path)
    return home


def run(*words: str):
    return CliRunner().invoke(main, ["rules", *words])


def fill(path) -> None:
    text = path.read_text("utf-8").replace("待填：原文网址", "https://example.org/1")
    path.write_text(text.replace("待填：", "按原文："), "utf-8")


def test_a_new_rule_only_waits_for_its_text(folder):
    done = run("new", NAME, "--region", "330300")
    assert done.exit_code == 0, done.output
    assert f"getihu rules check policies/rules/{NAME}.yaml" in done.output
    path = folder / f"{NAME}.yaml"
    lines = path.read_text("utf-8").splitlines()
    waiting = [n for n, line in enumerate(lines, start=1) if ": 待填" in line]
    refused = run("check")
    assert refused.exit_code == 2
    named = [int(line.split(":")[1]) for line in refused.output.splitlines() if "还没有填" in line]
    assert named == waiting and len(waiting) > 8
    fill(path)
    assert run("check").exit_code == 0
    tested = run("test", NAME)
    assert (tested.exit_code, tested.output) == (0, f"✓ {NAME}：5 个案例\n")


@pytest.mark.parametrize("name", ["night", "Policies.night", "policies.night-market", "growth.x"])
def test_a_name_must_fit_its_slice(folder, name):
    refused = run("new", name)
    assert refused.exit_code == 2
    assert "部分有：policies" in refused.output
    assert not list(folder.iterdir())


def test_nothing_is_written_over(folder):
    run("new", NAME)
    before = (folder / f"{NAME}.yaml").read_text("utf-8") + "# 已经写了一半\n"
    (folder / f"{NAME}.yaml").write_text(before, "utf-8")
    refused = run("new", NAME)
    assert refused.exit_code == 2 and "已经有" in refused.output
    assert (folder / f"{NAME}.yaml").read_text("utf-8") == before


def test_half_a_pair_is_not_left_behind(folder):
    (folder / f"{NAME}.cases.yaml").write_text("cases: []\n", "utf-8")
    assert run("new", NAME).exit_code == 2
    assert not (folder / f"{NAME}.yaml").exists()


def test_show_says_everything_of_a_rule(folder):
    run("new", NAME)
    fill(folder / f"{NAME}.yaml")
    shown = run("show", NAME)
    assert shown.exit_code == 0, shown.output
    for words in (
        "全国的个体工商户",
        "看哪一天：判定之日",
        "登记满几个月：12 个月",
        "registered_months >= least_months",
        "全部满足（登记在册；登记满规定的月数）",
        "案例 5 个，都通过",
    ):
        assert words in shown.output


def test_check_reminds_of_the_review(folder):
    local = SMALL_SHOP.replace("tests.small_shop", "policies.small_shop")
    write(folder, local)
    (folder / "policies.small_shop.cases.yaml").write_text(
        "cases: [{name: 无, as_of: 2026-06-01, facts: {}, expect: unknown}]\n"
    )
    done = run("check")
    assert done.exit_code == 0, done.output
    assert "提醒：缺法律依据" in done.output and "第十条" in done.output
    assert "规则检查通过，提醒 1 处。" in done.output
