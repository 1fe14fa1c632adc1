"""The command line: ``getihu ingest``, ``explain``, ``rules check`` … A door: reads the clock,
makes one call, prints the answer. Anticipated errors are printed without a traceback and end
with exit code 2 (input) or 3 (nothing there yet)."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import django

from getihu.config import (
    cli_accounts,
    cli_appeals,
    cli_awards,
    cli_backup,
    cli_entry,
    cli_insight,
    cli_ops,
    cli_pools,
    cli_rules,
    cli_slips,
    cli_webhooks,
    cli_whatif,
)


def _settings() -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    from django.conf import settings

    return settings


def _guarded() -> Any:
    """As ``_settings``, for commands that act for people or hand out their data: like the server,
    they do not start while a route lacks its row of the access policy."""
    settings = _settings()
    from getihu.access.services import check_policy_is_complete

    check_policy_is_complete()
    return settings


class _Progress:
    """Prints each step with the seconds since the start, on one stream people can follow."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, message: str) -> None:
        click.echo(f"[{time.monotonic() - self.started:6.1f} 秒] {message}", err=True)


class _Getihu(click.Group):
    """Turns anticipated errors into one clear message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        from django.db.utils import OperationalError, ProgrammingError

        from getihu.kernel.errors import GetihuError

        try:
            return super().invoke(ctx)
        except GetihuError as error:
            click.echo(str(error), err=True)
            sys.exit(getattr(error, "exit_code", 2))
        except (OperationalError, ProgrammingError) as error:
            if not any(words in str(error) for words in ("no such table", "does not exist")):
                raise
            click.echo("数据库还没有建立，或者是旧的。处理办法：先运行 getihu setup。", err=True)
            sys.exit(3)
        except OSError as error:
            if error.filename is None:
                raise
            why = f"{error.filename} 用不了（{error.strerror}）。"
            click.echo(f"{why}处理办法：核对磁盘空间和权限后再试；已发布的不受影响。", err=True)
            sys.exit(3)


@click.group(cls=_Getihu, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """个体户全生命周期服务平台。"""


def _as_of(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"“{value}”不是日期，请写成 2026-10-31 这样。") from None


as_of_option = click.option(
    "--as-of", callback=_as_of, metavar="日期", help="判定日期（YYYY-MM-DD）；默认为数据截止日。"
)


@main.command()
def setup() -> None:
    """建立数据库（可重复运行）。"""
    _settings()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@main.command()
@click.argument("inbox", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
def ingest(inbox: Path, as_json: bool) -> None:
    """收进 INBOX 目录里各部门送来的数据，并发布新的快照。"""
    _settings()
    from getihu.dataplane import services

    progress = _Progress()
    report = services.ingest_directory(inbox, at=datetime.now(UTC), progress=progress)
    if as_json:
        _print_json(report)
    else:
        _print_ingest(report)
    if any(d.status in ("held", "rejected") for d in report.deliveries):
        sys.exit(1)


def _print_ingest(report: Any) -> None:
    names = {"published": "已发布", "held": "待人工", "rejected": "已拒收", "duplicate": "重复"}
    for d in report.deliveries:
        click.echo(
            f"{names.get(d.status, d.status):<4} {d.delivery_id:<36} 收到 {d.rows_in:>9,} = "
            f"入库 {d.accepted:>9,} + 隔离 {d.quarantined:>6,} + 重复 {d.duplicate:>6,}"
        )
        if d.problem:
            click.echo(f"     {d.problem}")
    if report.snapshot:
        s = report.snapshot
        click.echo(f"快照 {s.snapshot_id}（第 {s.number} 期），数据截至 {s.data_until}。")
    click.echo(f"用时 {report.seconds:.1f} 秒。")


@main.command()
@click.argument("delivery_id")
@click.option("--by", required=True, metavar="工号", help="谁放行。")
@click.option("--reason", required=True, help="为什么放行；留在记录里。")
def release(delivery_id: str, by: str, reason: str) -> None:
    """放行一批待人工的数据，并发布新的快照。读不进来的不能放行。"""
    _settings()
    from getihu.dataplane import services

    if not (by.strip() and reason.strip()):
        raise click.UsageError("--by 和 --reason 都不能空着。")
    _print_ingest(services.release_held(delivery_id, by=by, reason=reason, at=datetime.now(UTC)))


@main.command()
def rebuild() -> None:
    """由留存的原件重建列存；之后用 getihu decide 重算事实和判定。"""
    _settings()
    from getihu.dataplane import services

    services.rebuild(progress=_Progress())
    click.echo("列存已重建，逐批与当时一致。接着运行 getihu decide。")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出。")
def feeds(as_json: bool) -> None:
    """各部门数据：最近一次送达、到哪一天、是否逾期。"""
    _settings()
    from getihu.dataplane import selectors

    rows = selectors.list_feeds(at=datetime.now(UTC))
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        until = row.covered_until.isoformat() if row.covered_until else "从未送达"
        state = "逾期" if row.is_late else "正常"
        click.echo(f"{state}  {until:<10}  {row.department_name}《{row.dataset_title}》")


@main.command()
@as_of_option
def decide(as_of: date | None) -> None:
    """为全市每一户计算事实并按全部规则判定。"""
    _settings()
    _decide(as_of, _Progress())


def _decide(
    as_of: date | None,
    progress: Callable[[str], None],
    consents: Callable[[], object] | None = None,
) -> None:
    from getihu.dataplane import selectors
    from getihu.dataplane import services as dataplane
    from getihu.rulebook import services as rulebook

    as_of = as_of or selectors.get_published_snapshot().data_until
    dataplane.build_facts(as_of=as_of, progress=progress)
    if consents is not None:
        consents()
    report = rulebook.sweep(as_of=as_of, progress=progress)
    click.echo(f"{report.traders:,} 户，截至 {report.as_of}，判定用时 {report.seconds:.1f} 秒。")
    for rule_id, counts in report.counts.items():
        shown = "，".join(f"{outcome} {n:,}" for outcome, n in counts.items())
        click.echo(f"  {rule_id}：{shown}")


@main.command()
@click.argument("code")
@as_of_option
@click.option("--rule", "rule_id", metavar="规则", help="只看一条规则。")
@click.option("--json", "as_json", is_flag=True, help="以规范 JSON 输出（可逐字节重放）。")
def explain(code: str, as_of: date | None, rule_id: str | None, as_json: bool) -> None:
    """这一户是什么类型、能享受什么、为什么。CODE 是统一社会信用代码。"""
    _guarded()
    from getihu.kernel.codes import normalise_credit_code
    from getihu.rulebook import selectors

    code = normalise_credit_code(code)
    if rule_id:
        answer: Any = selectors.explain_rule(code, rule_id, as_of=as_of)
    else:
        answer = selectors.explain_trader(code, as_of=as_of)
    if as_json:
        sys.stdout.buffer.write(selectors.canonical_json(answer) + b"\n")
    elif rule_id:
        _print_decision(answer)
    else:
        click.echo(f"{answer.trader_code}  截至 {answer.as_of}  快照 {answer.snapshot_id}")
        _warn_of_future(answer.as_of)
        _print_decision(answer.type_decision)
        for decision in answer.policies:
            if decision.applies:
                _print_decision(decision)
        passed = [d for d in answer.policies if not d.applies]
        if passed:
            click.echo("\n不适用：")
            for decision in passed:
                click.echo(f"  {decision.title}：{decision.not_applicable}")


def _warn_of_future(as_of: date) -> None:
    from getihu.dataplane import selectors

    until = selectors.get_published_snapshot().data_until
    if as_of > until:
        click.echo(f"注意：数据只到 {until}，之后的情况还不知道。")


def _print_decision(decision: Any) -> None:
    amount = f"，{decision.amount_yuan:,.2f} 元" if decision.amount_yuan is not None else ""
    click.echo(f"\n■ {decision.title}：{decision.outcome_label}{amount}")
    click.echo(f"  {decision.reason or decision.not_applicable}")
    click.echo(f"  依据：{decision.source.document} {decision.source.article}")
    marks = {"yes": "✓", "no": "✗", "unknown": "？"}
    for clause in decision.clauses:
        click.echo(f"  {marks[clause.result]} {clause.label}（{clause.article}）")
        for fact in clause.facts:
            when = f"，{fact.recorded_on}" if fact.recorded_on else ""
            why = f"：{fact.why_unknown}" if fact.why_unknown else ""
            click.echo(f"      {fact.label} = {fact.shown}（{fact.department_name}{when}）{why}")
        for parameter in clause.parameters:
            click.echo(f"      {parameter.label} = {parameter.shown}（{parameter.source}）")


@main.group()
def rules() -> None:
    """规则：新建、检查、试跑案例、查看、比较版本。"""


@main.command()
@click.option("--traders", default=100_000, show_default=True, type=click.IntRange(min=200))
@click.option("--seed", default=20261031, show_default=True, type=int)
def city(traders: int, seed: int) -> None:
    """造一座演示城市，送进来，判定；替换之前的演示城市。"""
    _make_city(_settings(), traders, seed, _Progress())


@main.command()
@click.option("--traders", default=100_000, show_default=True, type=click.IntRange(min=200))
@click.option("--seed", default=20261031, show_default=True, type=int)
@click.option("--port", default=8000, show_default=True, type=int)
def demo(traders: int, seed: int, port: int) -> None:
    """一步到位：演示城市 + 判定 + 网站。已有同样的演示城市时直接打开。"""
    from getihu.config import demo as demo_city

    settings = _settings()
    if not demo_city.is_ready(settings, traders, seed):
        _make_city(settings, traders, seed, _Progress())
    demo_city.open_cast(settings, at=datetime.now(UTC))
    _serve(settings, "127.0.0.1", port)


def _make_city(settings: Any, traders: int, seed: int, progress: Callable[[str], None]) -> None:
    from getihu.config import demo as demo_city
    from getihu.dataplane import services
    from getihu.gateways.demo_city import make_city

    demo_city.remove(settings)
    inbox = settings.DATA_DIR / "demo" / "inbox"
    progress(f"造 {traders:,} 户的演示城市（种子 {seed}）")
    make_city(inbox, traders=traders, seed=seed, progress=progress)
    demo_city.note(settings, inbox, traders, seed, complete=False)
    shutil.copytree(inbox / "keys", settings.DEPARTMENT_KEYS_DIR, dirs_exist_ok=True)
    progress("收进各部门数据")
    report = services.ingest_directory(inbox, at=datetime.now(UTC), progress=progress)
    _print_ingest(report)
    _decide(None, progress, lambda: demo_city.record_consents(at=datetime.now(UTC)))
    demo_city.note(settings, inbox, traders, seed, complete=True)
    demo_city.open_cast(settings, at=datetime.now(UTC))
    progress("演示城市就绪")


@main.command()
@click.option("--yes", is_flag=True, help="不再询问。")
def clean(yes: bool) -> None:
    """删除演示城市和由它得出的一切；有别的数据或公钥时什么也不删。"""
    from getihu.config import demo as demo_city

    settings = _settings()
    if not yes:
        click.confirm(f"删除 {settings.DATA_DIR} 里的演示城市？", abort=True)
    demo_city.remove(settings)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
def serve(host: str, port: int) -> None:
    """打开网站。"""
    _serve(_settings(), host, port)


def _serve(settings: Any, host: str, port: int) -> None:
    from django.core.management import call_command

    from getihu.config import checks  # noqa: F401  registers the start-up refusals

    call_command("check", databases=["default"], verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    address = f"http://{host}:{port}"
    click.echo(f"\n打开 {address}/ 　数据页 {address}/data/ 　规则 {address}/rules/")
    personas = settings.DATA_DIR / "demo" / "inbox" / "personas.json"
    if personas.exists():
        for persona in json.loads(personas.read_text("utf-8")):
            click.echo(f"  {address}/traders/{persona['trader_code']}/  {persona['situation']}")
    click.echo("按 Ctrl+C 停止。\n")
    granian = Path(sys.executable).with_name("granian")
    options = ["--interface", "asginl", "--host", host, "--port", str(port), "--workers", "1"]
    try:
        done = subprocess.run([str(granian), *options, "--no-ws", "getihu.config.asgi:application"])
    except KeyboardInterrupt:
        return
    sys.exit(done.returncode)


def _print_json(value: Any) -> None:
    from getihu.rulebook import selectors

    click.echo(selectors.canonical_json(value).decode("utf-8"))


cli_rules.register(rules, _settings)
cli_whatif.register(main, _settings)
cli_slips.register(main, _guarded)
cli_ops.register(main, _settings)
cli_backup.register(main, _settings)
cli_webhooks.register(main, _guarded)
cli_accounts.register(main, _guarded)
cli_awards.register(main, _guarded)
cli_entry.register(main, _guarded)
cli_appeals.register(main, _guarded)
cli_pools.register(main, _guarded)
cli_insight.register(main, _guarded)


if __name__ == "__main__":
    main()
