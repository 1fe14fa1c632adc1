"""What-if, curves and drift on the command line: ``getihu whatif``, ``getihu rules drift``."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    rules = main.commands["rules"]
    assert isinstance(rules, click.Group)
    for group, command in ((rules, _drift(start)), (rules, _live(start)), (main, _whatif(start))):
        group.add_command(command)


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"“{value}”不是日期，请写成 2026-10-31 这样。") from None


def _drift(start: Start) -> click.Command:
    @click.command("drift")
    @click.argument("old", required=False)
    @click.argument("new", required=False)
    @click.option("--as-of", callback=_day, metavar="日期", help="判定日期；默认为数据截止日。")
    @click.option("--json", "as_json", is_flag=True, help="以规范 JSON 输出。")
    def drift(old: str | None, new: str | None, as_of: date | None, as_json: bool) -> None:
        """新版本施行以前：谁会变，从哪里变到哪里，差多少钱。

        OLD 和 NEW 写文件名，或者 规则编号@版本。只写一个规则编号时，比较正在用的版本和文件里的
        版本；什么都不写时，给每一条等着报告的规则各做一份。
        """
        start()
        from getihu.rulebook import selectors, services

        wanted = (
            [(old, new or "")] if old else [(r, "") for r in services.list_waiting_rules(as_of)]
        )
        if not wanted:
            click.echo("没有等着漂移报告的规则。")
        for before, after in wanted:
            made = services.make_drift_report(before, after, at=datetime.now(UTC), as_of=as_of)
            if as_json:
                click.echo(selectors.canonical_json(made).decode("utf-8"))
            else:
                _print_report(made)

    return drift


def _print_report(report: Any) -> None:
    _print_comparison(report.comparison)
    click.echo(f"\n报告 {report.key}")
    click.echo(f"网页 /rules/{report.comparison.rule_id}/drift/{report.key}/")
    click.echo("批准：还没有账号，不记录谁在什么时候批准；有了这份报告，判定才会采用新版本。")


def _live(start: Start) -> click.Command:
    @click.command("live")
    @click.argument("rule_id")
    def live(rule_id: str) -> None:
        """一条规则的各个版本：在不在文件里，什么时候开始判定，凭什么。"""
        start()
        from getihu.rulebook import selectors

        grounds = {"initial": "首次判定时已有", "first": "该规则的首版", "": "还没有用来判定"}
        for each in selectors.list_rule_versions(rule_id):
            used = f"，{each.first_used_on} 起" if each.first_used_on else ""
            place = "在文件里" if each.is_on_file else "文件已改"
            ground = grounds.get(each.ground, f"漂移报告 {each.ground}")
            click.echo(f"{rule_id}@{each.version}  {each.valid_from} 生效  {place}  {ground}{used}")
            for change in each.differences:
                click.echo(f"    {change.what} {change.label}：{change.before} → {change.after}")

    return live


def _whatif(start: Start) -> click.Command:
    @click.command("whatif")
    @click.argument("rule_id")
    @click.option("--set", "values", multiple=True, metavar="参数=值", help="改一个参数。")
    @click.option("--clause", "clauses", multiple=True, metavar="条件=表达式", help="改一个条件。")
    @click.option("--drop", "dropped", multiple=True, metavar="条件", help="去掉一个条件。")
    @click.option("--curve", metavar="参数", help="列出一个参数在每个取值下的户数和金额。")
    @click.option("--as-of", callback=_day, metavar="日期", help="判定日期；默认为数据截止日。")
    @click.option("--keep", metavar="名称", help="留存为方案。")
    @click.option(
        "--draft",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="目录",
        help="写成草案版本（规则文件和案例）。",
    )
    @click.option("--from", "valid_from", callback=_day, metavar="日期", help="草案的施行日期。")
    @click.option("--json", "as_json", is_flag=True, help="以规范 JSON 输出。")
    def whatif(
        rule_id: str,
        values: Sequence[str],
        clauses: Sequence[str],
        dropped: Sequence[str],
        curve: str | None,
        as_of: date | None,
        keep: str | None,
        draft: Path | None,
        valid_from: date | None,
        as_json: bool,
    ) -> None:
        """在一份副本上改标准或者条件：多多少户、少多少户、是谁、花多少钱。"""
        start()
        from getihu.rulebook import selectors, services
        from getihu.rulebook.contracts import RuleChange

        if curve:
            _print_curve(selectors.list_curves(rule_id, as_of=as_of), curve)
            return
        changes = [
            *(RuleChange("parameter", *_named(text)) for text in values),
            *(RuleChange("clause", *_named(text)) for text in clauses),
            *(RuleChange("drop", name) for name in dropped),
        ]
        if not changes:
            raise click.UsageError("还没有改动：用 --set、--clause 或 --drop。")
        if draft:
            if valid_from is None:
                raise click.UsageError("写草案要用 --from 写明施行日期。")
            _write_draft(selectors.draft_rule(rule_id, changes, valid_from), draft)
            return
        if keep:
            made = services.keep_scenario(rule_id, changes, title=keep, at=datetime.now(UTC))
            comparison = made.comparison
            click.echo(f"已留存为第 {made.number} 号方案：{made.title}", err=True)
        else:
            comparison = selectors.compare_changes(rule_id, changes, as_of=as_of)
        if as_json:
            click.echo(selectors.canonical_json(comparison).decode("utf-8"))
        else:
            _print_comparison(comparison)

    return whatif


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"“{text}”要写成 名字=值。")
    return name.strip(), value.strip()


def _print_comparison(made: Any) -> None:
    click.echo(f"■ {made.title}（{made.before_version} → {made.after_version}）")
    click.echo(
        f"  截至 {made.as_of}，快照 {made.snapshot_id}，{made.traders:,} 户，变动 {made.moved:,} 户"
    )
    for change in made.differences:
        click.echo(
            f"  {change.what} {change.label}：{change.before or '（无）'} → {change.after or '（无）'}"
        )
    labels = dict(made.outcomes)
    moved = [move for move in made.moves if move[0] != move[1]]
    for before, after, count in sorted(moved, key=lambda move: -move[2]):
        click.echo(f"    {labels[before]} → {labels[after]}：{count:,} 户")
    if made.after_yuan is not None and made.before_yuan is not None:
        click.echo(f"  金额 {made.before_yuan:,.2f} 元 → {made.after_yuan:,.2f} 元")
    for name, title in (("county", "县（市、区）"), ("trade", "行业"), ("type", "类型")):
        parts = [p for p in made.parts.get(name, ()) if p.gained != 0 or p.lost != 0]
        if parts:
            click.echo(f"  {title}（{labels[made.outcome]}）")
        for part in parts:
            click.echo(f"    {part.label}：增 {_count(part.gained)}，减 {_count(part.lost)}")


def _count(count: int | None) -> str:
    return "不单列" if count is None else f"{count:,}"


def _print_curve(curves: Sequence[Any], name: str) -> None:
    found = next((curve for curve in curves if curve.name == name), None)
    if found is None:
        names = "、".join(curve.name for curve in curves) or "没有"
        raise click.UsageError(f"没有可以滑动的参数“{name}”。可用的有：{names}。")
    for place, shown in enumerate(found.shown):
        mark = "▶" if place == found.at else " "
        money = f"  {found.amounts_yuan[place]:>14,} 元" if found.amounts_yuan else ""
        click.echo(f"{mark} {shown:>16}  {found.counts[place]:>10,} 户{money}")


def _write_draft(made: Any, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / made.file_name).write_text(made.text, "utf-8")
    (folder / made.cases_name).write_text(made.cases_text, "utf-8")
    click.echo(
        f"已写出 {folder / made.file_name} 和案例（{len(made.changed_cases)} 个案例的结果变了）。"
    )
    for number, note in enumerate(made.notes, 1):
        click.echo(f"{number}. {note}")
