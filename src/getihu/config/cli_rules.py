"""Rule files on the command line: ``getihu rules new``, ``check``, ``test``, ``list``, ``show``."""

import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(rules: click.Group, start: Start) -> None:
    """Hang the commands into ``getihu rules``. ``start`` makes the settings ready."""
    for make in (_new, _check, _test, _list, _show):
        rules.add_command(make(start))


def _new(start: Start) -> click.Command:
    @click.command("new")
    @click.argument("rule_id")
    @click.option(
        "--region", default="CN", show_default=True, help="CN，或 GB/T 2260 代码，如 330300。"
    )
    def new(rule_id: str, region: str) -> None:
        """新建一条规则：写出规则和案例两个文件，要填的地方写着“待填”。

        RULE_ID 写 部分.名称，例如 policies.night_market_2026。
        """
        start()
        from getihu.rulebook import services

        rule, cases = services.new_rule(rule_id, region)
        click.echo(f"写好了：\n  {_near(rule)}\n  {_near(cases)}")
        click.echo("接下来：")
        click.echo("  1. 照原文改，把“待填”都换掉（docs/how-to/add-a-policy.md）")
        click.echo(f"  2. getihu rules check {_near(rule)}")
        click.echo(f"  3. getihu rules test {rule_id}")

    return new


def _near(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _check(start: Start) -> click.Command:
    @click.command("check")
    @click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
    def check(paths: tuple[Path, ...]) -> None:
        """检查规则文件；不写 PATHS 时检查全部。

        错误使检查不通过；公平竞争审查还要回答的问题只是提醒。
        """
        settings = start()
        from getihu.rulebook import services

        problems = services.check_rules(list(paths) or settings.RULE_DIRS)
        for problem in problems:
            click.echo(str(problem), err=True)
        if problems:
            click.echo(f"规则检查不通过：{len(problems)} 处。", err=True)
            sys.exit(2)
        warnings = services.list_review_flags(list(paths) or settings.RULE_DIRS)
        for file, flag in warnings:
            told = f"{_near(Path(file))}：提醒：{flag.label}：{flag.text}（{flag.source}）"
            click.echo(told, err=True)
        click.echo(f"规则检查通过{f'，提醒 {len(warnings)} 处' if warnings else ''}。")

    return check


def _test(start: Start) -> click.Command:
    @click.command("test")
    @click.argument("rule_id", required=False)
    def test(rule_id: str | None) -> None:
        """跑规则旁边的案例；不写 RULE_ID 时跑全部。"""
        start()
        from getihu.rulebook import selectors, services

        wanted = [rule_id] if rule_id else list(dict.fromkeys(r.id for r in selectors.list_rules()))
        failed = 0
        for name in wanted:
            results = services.run_cases(name)
            wrong = [r for r in results if not r.passed]
            failed += len(wrong)
            click.echo(f"{'✗' if wrong else '✓'} {name}：{len(results)} 个案例")
            for result in wrong:
                click.echo(f"    {result.name}：{result.message}")
        if failed:
            sys.exit(1)

    return test


def _list(start: Start) -> click.Command:
    @click.command("list")
    def list_() -> None:
        """列出全部规则。"""
        start()
        from getihu.rulebook import selectors

        for rule in selectors.list_rules():
            click.echo(f"{rule.id:<36} {rule.region:<7} {_period(rule)}  {rule.title}")

    return list_


def _period(rule: Any) -> str:
    last = f"到 {rule.valid_until - timedelta(days=1)}" if rule.valid_until else "未见终止日"
    return f"{rule.valid_from} 起，{last}"


def _show(start: Start) -> click.Command:
    @click.command("show")
    @click.argument("rule_id")
    @click.option(
        "--as-of",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="日期",
        help="哪一天的版本；默认最新。",
    )
    def show(rule_id: str, as_of: Any) -> None:
        """看一条规则：来源、标准、条件、怎样算符合、给多少、还要审查什么。"""
        start()
        from getihu.rulebook import selectors

        day: date | None = as_of.date() if as_of else None
        for line in _shown(selectors.get_rule(rule_id, day)):
            click.echo(line)

    return show


def _shown(rule: Any) -> Iterator[str]:
    from getihu.rulebook import selectors, services

    yield f"{rule.title}"
    yield f"{rule.id}  版本 {rule.version}  {_near(Path(rule.file))}"
    yield f"  来源  {rule.source.document}《{rule.source.title}》{rule.source.article}"
    yield f"        {rule.source.url}（可信度 {rule.source.trust}）"
    yield f"  适用  {selectors.applies_to(rule)}；{_period(rule)}"
    if rule.ended_by:
        yield f"  提前  自 {rule.ended_by.from_} 起终止：{rule.ended_by.source}"
    if rule.incomplete:
        yield f"  待核  {rule.incomplete}"
    yield f"  内容  {rule.benefit}"
    for line in selectors.frame_of(rule):
        yield f"  {line.label}：{line.text}{f'（{line.source}）' if line.source else ''}"
    for heading, rows in selectors.rule_in_words(rule):
        yield f"\n{heading}"
        yield from (f"  {row}" for row in rows)
    cases = services.run_cases(rule.id)
    wrong = sum(not case.passed for case in cases)
    yield f"\n案例 {len(cases)} 个，{f'{wrong} 个不对' if wrong else '都通过'}"
    for flag in selectors.review_flags(rule):
        yield f"提醒：{flag.label}：{flag.text}（{flag.source}）"
