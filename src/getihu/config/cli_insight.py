"""``getihu indicator`` and ``getihu report``: measure, look, make a figure or a report again."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""

    @main.group("indicator")
    def indicator() -> None:
        """监测指标：测一遍、看一个、按摘要重新算一遍。"""

    @indicator.command("list")
    def list_() -> None:
        """全部指标和全市最近的数。"""
        start()
        from getihu.insight import selectors

        for each, figure in selectors.list_latest():
            told = (
                "没有数"
                if figure is None
                else f"{_number(figure.value)} {each.unit}（{figure.as_of}）"
            )
            click.echo(f"{each.id}\t{each.title}\t{told}")

    @indicator.command("measure")
    @click.option("--months", default=24, show_default=True, help="往回测几个月。")
    def measure(months: int) -> None:
        """按已公布的数据测全部指标；同样的数据测过的不再测。"""
        start()
        from getihu.insight import services

        digests = services.measure(
            at=datetime.now(UTC),
            months=months,
            progress=lambda name: click.echo(f"  {name}", err=True),
        )
        click.echo(f"测了 {len(digests)} 个指标。看：getihu indicator list，或网页 /insight/。")

    @indicator.command("show")
    @click.argument("indicator_id")
    @click.option("--county", default="330300", metavar="代码", help="六位行政区划代码；默认全市。")
    def show(indicator_id: str, county: str) -> None:
        """一个指标的定义和各月的数。"""
        start()
        from getihu.insight import selectors

        each = selectors.get_indicator(indicator_id)
        click.echo(f"{each.title}（{each.unit}）第 {each.version} 版\n{each.definition}")
        click.echo(f"出处：{each.source}\n不得用来：{each.not_for}")
        for figure in selectors.list_figures(indicator_id, county):
            unknown = f"\t未知 {figure.unknown:,.0f}" if figure.unknown else ""
            click.echo(f"{figure.as_of}\t{_number(figure.value)}{unknown}\t{figure.digest[:12]}")

    @indicator.command("rerun")
    @click.argument("digest")
    def rerun(digest: str) -> None:
        """按摘要重新算一遍：同样的定义、同样的数据，要得同样的数。"""
        start()
        from getihu.insight import services

        done = services.rerun(digest)
        click.echo(
            f"{done.indicator_id} 第 {done.version} 版，{done.figures:,} 个数，摘要 {done.digest}"
        )
        if done.is_same:
            click.echo(f"一样：{done.result_sha256}")
            return
        click.echo(f"不一样：当时 {done.result_sha256}，现在 {done.again_sha256}。", err=True)
        sys.exit(1)

    @main.group("report")
    def report() -> None:
        """监测季报：写、核对、存成文件。"""

    @report.command("write")
    @click.argument("quarter")
    def write(quarter: str) -> None:
        """按已测的数写一个季度（2026Q3）的季报；数没有变，还是原来那一版。"""
        start()
        from getihu.insight import services

        made = services.write_report(quarter, at=datetime.now(UTC))
        click.echo(f"{made.quarter} 第 {made.edition} 版，摘要 {made.sha256}。")
        click.echo(f"看：网页 /insight/reports/{quarter}/；核对：getihu report check {quarter}。")

    @report.command("check")
    @click.argument("quarter")
    @click.option("--edition", type=int, help="第几版；默认最新。")
    def check(quarter: str, edition: int | None) -> None:
        """从当时的数据把季报里的每个数重新算一遍。"""
        start()
        from getihu.insight import services

        done = services.check_report(quarter, edition)
        click.echo(
            f"{done.quarter} 第 {done.edition} 版：{done.indicators} 个指标，文字里 {done.numbers} 个数。"
        )
        if done.is_same:
            click.echo("全部一样。")
            return
        for sentence in done.changed:
            click.echo(f"不一样：{sentence}", err=True)
        click.echo("重新算出来的和季报不一样。", err=True)
        sys.exit(1)

    @report.command("save")
    @click.argument("quarter")
    @click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
    def save(quarter: str, path: Path) -> None:
        """存成 .pdf（PDF/A）或者 .docx（Word）。"""
        start()
        from getihu.insight import selectors, services

        writers = {".pdf": services.as_pdf, ".docx": services.as_word}
        if path.suffix not in writers:
            raise click.UsageError("文件名要以 .pdf 或者 .docx 结尾。")
        path.write_bytes(writers[path.suffix](selectors.get_report(quarter)))
        click.echo(f"存在 {path}。")


def _number(value: float | None) -> str:
    return "没有" if value is None else f"{value:,.2f}"
