"""Advice, interview and decision slips on the command line: ``getihu advise``, ``ask``, ``near``,
``slip``, ``replay``."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    for make in (_advise, _ask, _near, _slip, _replay):
        main.add_command(make(start))


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"“{value}”不是日期，请写成 2026-10-31 这样。") from None


def _answers(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if any(not name or not equals for name, equals, _ in pairs):
        raise click.BadParameter("请写成 事实=值，例如 goods_value_yuan=320.50。")
    return {name.strip(): value.strip() for name, _, value in pairs}


_as_of = click.option("--as-of", callback=_day, metavar="日期", help="判定日期；默认为数据截止日。")
_given = click.option(
    "--answer", "answers", multiple=True, callback=_answers, metavar="事实=值",
    help="部门没有、由本人或办案人员说明的事实；可以写多次。",
)  # fmt: skip
_as_json = click.option("--json", "as_json", is_flag=True, help="以规范 JSON 输出。")


def _advise(start: Start) -> click.Command:
    @click.command("advise")
    @click.argument("code")
    @click.argument("rule_id", required=False)
    @click.option("--goal", default="", metavar="结果", help="想要的结果，如 developing。")
    @_as_of
    @_given
    @_as_json
    def advise(
        code: str,
        rule_id: str | None,
        goal: str,
        as_of: date | None,
        answers: dict[str, str],
        as_json: bool,
    ) -> None:
        """为什么不行、什么时候行、怎样就行。CODE 是统一社会信用代码。"""
        start()
        from getihu.kernel.codes import normalise_credit_code
        from getihu.rulebook import selectors

        code = normalise_credit_code(code)
        if rule_id:
            given = selectors.read_answers(rule_id, answers)
            found = [selectors.advise(code, rule_id, as_of=as_of, answers=given, goal=goal)]
        else:
            advised = selectors.advise_trader(code, as_of=as_of).values()
            found = [a for a in advised if a.remedies and a.outcome != "not_applicable"]
        if as_json:
            _write_json(found[0] if rule_id else found)
            return
        for advice in found:
            _print_advice(advice)

    return advise


def _print_advice(advice: Any) -> None:
    from getihu.rulebook import selectors

    title = selectors.get_rule(advice.rule_id, advice.as_of).title
    mark = "差一步　" if advice.is_near else ""
    goal = f" → {advice.goal_label}" if advice.goal_label else ""
    click.echo(f"\n■ {mark}{title}：{_OUTCOMES.get(advice.outcome, advice.outcome)}{goal}")
    if not advice.remedies and not advice.next_questions:
        click.echo("  不差什么。")
    if advice.cured_on:
        latest = "最迟 " if advice.at_latest else ""
        click.echo(f"  不用办理，{latest}{advice.cured_on} 起就满足。{advice.caveat}")
    marks = {"time": "⏱", "change": "→", "data": "？", "fixed": "✗"}
    for remedy in advice.remedies:
        who = f"（{'、'.join(remedy.who)}）" if remedy.who else ""
        click.echo(f"  {marks[remedy.kind]} {remedy.label}：{remedy.text}{who}")
    for question in advice.next_questions:
        click.echo(f"  要问 {'、'.join(question.who)}：{question.text}（{question.fact}）")


_OUTCOMES = {"yes": "符合", "no": "不符合", "unknown": "还不能判定", "not_applicable": "不适用"}


def _ask(start: Start) -> click.Command:
    @click.command("ask")
    @click.argument("code")
    @click.argument("rule_id", required=False)
    @_as_of
    @_given
    @_as_json
    def ask(
        code: str, rule_id: str | None, as_of: date | None, answers: dict[str, str], as_json: bool
    ) -> None:
        """接下来问什么：先问一个答案能定下最多规则的。不写 RULE_ID 时问全部规则。"""
        start()
        from getihu.kernel.codes import normalise_credit_code
        from getihu.rulebook import selectors

        code = normalise_credit_code(code)
        given = selectors.read_answers(rule_id or "", answers)
        found = selectors.ask_next(code, rule_id or "", as_of=as_of, answers=given)
        if as_json:
            _write_json(list(found))
            return
        if not found:
            click.echo("都能判定了，没有要问的。")
        for number, question in enumerate(found, 1):
            choices = "、".join(f"{value}（{label}）" for value, label in question.choices)
            click.echo(f"{number}. {question.text}{choices}")
            click.echo(
                f"   {'、'.join(question.who)}知道；关系到 {len(question.rules)} 条规则；"
                f"回答：--answer {question.fact}=…"
            )

    return ask


def _near(start: Start) -> click.Command:
    @click.command("near")
    @click.argument("rule_id", required=False)
    @click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1))
    @_as_of
    @_as_json
    def near(rule_id: str | None, limit: int, as_of: date | None, as_json: bool) -> None:
        """差一步：全市每条规则有多少户只差一项；写了 RULE_ID 时列出是哪些户。"""
        start()
        from getihu.rulebook import selectors

        if rule_id:
            traders = selectors.list_near_traders(rule_id, as_of, limit=limit)
            if as_json:
                _write_json(traders)
                return
            for trader in traders:
                click.echo(f"{trader.trader_code}  {'、'.join(trader.clauses)}")
            return
        found = selectors.list_near_rules(as_of)
        if as_json:
            _write_json(found)
            return
        for rule in found:
            click.echo(f"{rule.traders:>9,} 户  {rule.title}（{rule.rule_id}）")
            for clause in rule.clauses:
                waits = "，时间到了自动满足的在内" if clause.comes_by_itself else ""
                click.echo(f"{clause.traders:>13,}  {clause.label}{waits}")

    return near


def _slip(start: Start) -> click.Command:
    @click.command("slip")
    @click.argument("code")
    @click.argument("rule_id")
    @click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True,
        help="凭据写到这个文件。",
    )  # fmt: skip
    @_as_of
    @click.option("--snapshot", "snapshot_id", metavar="快照", help="默认为已发布的快照。")
    @_given
    def slip(
        code: str,
        rule_id: str,
        output: Path,
        as_of: date | None,
        snapshot_id: str | None,
        answers: dict[str, str],
    ) -> None:
        """开出一次判定的凭据；以后用 getihu replay 可以逐字节重放。"""
        start()
        from getihu.kernel.codes import normalise_credit_code
        from getihu.rulebook import selectors, services

        made = services.issue_slip(
            normalise_credit_code(code),
            rule_id,
            as_of=as_of,
            snapshot_id=snapshot_id,
            answers=selectors.read_answers(rule_id, answers),
            at=datetime.now(UTC),
        )
        output.write_bytes(made.content)
        click.echo(f"{made.title}：{_result(made.outcome, made.amount_yuan)}")
        click.echo(
            f"规则 {made.rule_id}@{made.rule_version}，{made.as_of}，快照 {made.snapshot_id}"
        )
        click.echo(f"指纹 {made.sha256}")
        click.echo(f"写到 {output}（{len(made.content):,} 字节）")

    return slip


def _result(outcome: str, amount: Decimal | None) -> str:
    paid = f"，{amount:,.2f} 元" if amount is not None else ""
    return f"{_OUTCOMES.get(outcome, outcome)}{paid}"


def _replay(start: Start) -> click.Command:
    @click.command("replay")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @_as_json
    def replay(file: Path, as_json: bool) -> None:
        """重放一张凭据：按当时的规则和事实再判一次，逐字节比对；再看今天会不会不同。"""
        start()
        from getihu.rulebook import services

        done = services.replay(file.read_bytes())
        slip, today = done.slip, done.today
        if as_json:
            told = {
                "is_in_log": done.is_in_log,
                "is_same": True,
                "sha256": slip.sha256,
                "today": today,
            }
            _write_json(told)
            return
        click.echo(f"一致：{slip.title}，{_result(slip.outcome, slip.amount_yuan)}")
        click.echo(
            f"规则 {slip.rule_id}@{slip.rule_version}，{slip.as_of}，快照 {slip.snapshot_id}"
        )
        known = "审计日志里有" if done.is_in_log else "审计日志里没有，请核对是不是在这里开出的"
        click.echo(f"指纹 {slip.sha256}（{known}）")
        _print_today(today)

    return replay


def _print_today(today: Any) -> None:
    if today.decides_differently is None:
        click.echo(f"今天会不会不同，说不了：{today.why_unknown}")
        return
    result = _result(today.outcome_label, today.amount_yuan)
    word = "会不同" if today.decides_differently else "还是一样"
    click.echo(f"按今天的规则和事实（{today.as_of}，快照 {today.snapshot_id}）：{word}，{result}")
    if today.is_rule_changed:
        click.echo(f"  规则已是另一版：{today.rule_version}")
    if today.facts_changed:
        click.echo(f"  变了的事实：{'、'.join(today.facts_changed)}")


def _write_json(value: Any) -> None:
    from getihu.rulebook import selectors

    click.echo(selectors.canonical_json(value).decode("utf-8"))
