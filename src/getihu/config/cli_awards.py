"""``getihu awards`` and ``getihu fairness``: runs with their numbers, and what a review asks."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    main.add_command(_awards(start))
    main.add_command(_fairness(start))
    main.add_command(_push(start))


def _awards(start: Start) -> click.Command:
    @click.command("awards")
    @click.option("--run", "run_id", metavar="编号", help="一次兑付的全部数字。")
    def awards(run_id: str | None) -> None:
        """免申即享：兑付方案，和每一次试算、兑付。试算、批准、拨付在网页上由有权限的人办。"""
        start()
        from getihu.policies import selectors

        if run_id:
            _tell_run(selectors.get_run(run_id))
            return
        programmes = selectors.list_programmes()
        for programme in programmes:
            click.echo(f"{programme.id}：{programme.title}（规则 {programme.rule}）")
        if not programmes:
            click.echo("没有兑付方案。处理办法：照 docs/how-to/pay-an-award.md 写一份。")
        for run in selectors.list_runs():
            kind = "试算" if run.is_dry else "按申请" if run.by_application else "兑付"
            click.echo(
                f"  {run.planned_at:%Y-%m-%d} {kind} {run.id} {run.state_label}："
                f"{run.entitled_count:,} 户 {run.entitled_yuan:,} 元"
            )

    return awards


def _tell_run(run: Any) -> None:
    from getihu.policies.contracts import PUBLIC_LABELS

    planned: datetime = run.planned_at
    click.echo(f"{run.title}，{run.state_label}，{planned:%Y-%m-%d}")
    click.echo(f"规则 {run.rule_id}@{run.rule_version}，{run.as_of}，快照 {run.snapshot_id}")
    if run.list_sha256:
        click.echo(f"名单指纹 {run.list_sha256}")
    if run.seed:
        click.echo(f"抽签种子 {run.seed}")
    click.echo(
        f"符合 {run.entitled_count:,} 户 {run.entitled_yuan:,} 元，缺数据 {run.unknown_count:,} 户"
    )
    for state, count in run.counts.items():
        click.echo(f"  {PUBLIC_LABELS[state]} {count:,} 户")
    if run.budget:
        click.echo(
            f"预算 {run.budget.total_yuan:,} 元：已到账 {run.budget.paid_yuan:,}，"
            f"已下达 {run.budget.ordered_yuan:,}，留着 {run.budget.reserved_yuan:,}，"
            f"剩余 {run.budget.left_yuan:,}"
        )
    for finding in run.findings:
        click.echo(f"停下：{finding.text}")


def _push(start: Start) -> click.Command:
    @click.command("push")
    def push() -> None:
        """精准推送：把新符合的政策告诉经营者，每项一次；差一步的每季度最多一条。"""
        start()
        from getihu.policies import selectors, services

        done = services.push(at=datetime.now(UTC))
        if done is None:
            click.echo("这一份数据在本季度已经推送过，没有新的。")
        for rule_id, counts in sorted(done.counts.items() if done else ()):
            if counts["matched"]:
                click.echo(
                    f"{rule_id}：有账户的符合 {counts['matched']:,} 户，新告诉"
                    f" {counts.get('told', 0):,} 户，早先告诉过 {counts['before']:,} 户，"
                    f"没有同意使用信息的 {counts.get('without_consent', 0):,} 户"
                )
        if done:
            click.echo(f"差一步：告诉 {done.near:,} 户")
        for programme in selectors.list_programmes():
            _tell_aim(programme.rule, selectors.push_numbers(programme.rule))

    return push


def _tell_aim(rule_id: str, numbers: Any) -> None:
    """How well 免申即享 was aimed, once something was paid."""
    if numbers.precision is None:
        return
    recall = "—" if numbers.recall is None else f"{numbers.recall:.0%}"
    click.echo(
        f"{rule_id}：告诉 {numbers.told:,} 户，到账 {numbers.paid:,} 户，"
        f"告诉了又拿到的 {numbers.precision:.0%}，拿到的里告诉过的 {recall}"
    )


def _fairness(start: Start) -> click.Command:
    @click.command("fairness")
    @click.argument("rule", required=False)
    @click.option(
        "--text",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="审一份文件的文字（UTF-8）。",
    )
    def fairness(rule: str | None, file: Path | None) -> None:
        """公平竞争审查：看文字，看规则换一样就不同的人。有没答复的问题，退出码为 1。"""
        start()
        if file is not None:
            sys.exit(1 if _tell_passages(file) else 0)
        if rule is None:
            raise click.UsageError("写规则编号，或者用 --text 给一份文件。")
        from getihu.policies import services

        review = services.review_rule(rule)
        click.echo(f"{review.rule_id}@{review.rule_version}，{review.as_of}")
        for flip in review.flips:
            told = f"{flip.tried:,} 户里失去 {flip.lose:,}、得到 {flip.win:,}"
            click.echo(f"  {flip.label}：{told if flip.can_tell else '没有这样的事实，规则看不到'}")
        for finding in review.findings:
            click.echo(f"问题 {finding.id}：{finding.label}。{finding.text}（{finding.article}）")
            click.echo(f"  答复：{finding.answer or '还没有'}")
        if not review.findings:
            click.echo("没有要答复的问题。")
        sys.exit(0 if review.is_answered else 1)

    return fairness


def _tell_passages(file: Path) -> int:
    from getihu.policies.fairness.text import review_text

    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} 不是 UTF-8。处理办法：另存为 UTF-8 再审。") from None
    passages = review_text(text)
    for passage in passages:
        where = f"{file}:{passage.line}"
        click.echo(f"{where} “{passage.quote}”：{passage.label}（{passage.article}）")
    click.echo(f"{len(passages)} 处要看。" if passages else "没有找到要看的文字。")
    return len(passages)
