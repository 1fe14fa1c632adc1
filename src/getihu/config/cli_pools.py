"""``getihu types`` and ``getihu pools``: review the city's types, bring pools up to date, check lists."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    main.add_command(_types(start))
    main.add_command(_pools(start))


def _types(start: Start) -> click.Group:
    @click.group("types")
    def types() -> None:
        """分型：评一次全市、异议期满后公布、看各型户数、核对文件。"""

    @types.command("review")
    @click.option("--as-of", metavar="日期", help="按哪一天的判定；默认数据截止日。")
    def review(as_of: str | None) -> None:
        """按已有的判定评一次全市的分型，告诉要变的人；异议期满以前不公布。"""
        start()
        from getihu.growth import services

        made = services.review_types(as_of=_day(as_of), at=datetime.now(UTC))
        click.echo(
            f"{made.as_of}：{made.traders:,} 户，{made.moved:,} 户要变，告知 {made.told:,} 条。"
        )
        click.echo(f"异议到 {made.object_until} 止，之后由 getihu work 公布。")
        _tell_counts(made.counts)

    @types.command("publish")
    def publish() -> None:
        """公布异议期满的分型；没有到期的不动。"""
        start()
        from getihu.growth import services

        done = services.publish_types(at=datetime.now(UTC))
        click.echo(f"已公布 {done.as_of} 的分型。" if done else "没有到期要公布的分型。")

    @types.command("show")
    @click.option("--county", default="", metavar="代码", help="六位行政区划代码；默认全市。")
    @click.option("--as-of", metavar="日期", help="看哪一天有效的分型。")
    def show(county: str, as_of: str | None) -> None:
        """各型户数，和因为缺谁的数据定不了型。"""
        start()
        from getihu.growth import selectors

        page = selectors.get_types_page(county, _day(as_of))
        click.echo(f"{page.county_name}，按 {page.review.as_of} 的数据，{page.total:,} 户")
        for share in page.shares:
            told = "不公布" if share.count is None else f"{share.count:,}"
            click.echo(f"  {share.label}  {told}")
        for row in page.missing:
            told = "不公布" if row.count is None else f"{row.count:,} 户"
            click.echo(f"  缺 {row.department_name}：{told}（{row.facts}）")

    @types.command("verify")
    def verify() -> None:
        """由判定重做最近一次分型；和当时的文件不是同一份，退出码为 1。"""
        start()
        from getihu.growth import selectors, services

        found = selectors.list_reviews(1)
        if not found:
            click.echo("还没有评过分型。")
            return
        same = services.verify_types(found[0].id)
        click.echo(f"{found[0].as_of}：{'一致' if same else '不一致，请对照公开日志查'}")
        sys.exit(0 if same else 1)

    return types


def _pools(start: Start) -> click.Group:
    @click.group("pools")
    def pools() -> None:
        """培育库：户数和目标、按最新数据更新、年度名单。"""

    @pools.command("list")
    @click.option("--county", default="", metavar="代码", help="六位行政区划代码；默认全市。")
    def list_(county: str) -> None:
        """各库的户数，和方案的目标。"""
        start()
        from getihu.growth import selectors

        on = datetime.now(UTC).date()
        for pool in selectors.list_pools(on, county):
            click.echo(f"{pool.id:<20} {pool.members:>9,} 户  {pool.title}")
        for target in [] if county else selectors.list_targets(on):
            click.echo(f"目标：{target.label} {target.count:,} / {target.target:,}")

    @pools.command("update")
    @click.option(
        "--pool", "pool_ids", multiple=True, metavar="编号", help="只更新这个库；可重复。"
    )
    def update(pool_ids: tuple[str, ...]) -> None:
        """按最新的判定更新；只写变了的行，再运行一次不写。"""
        start()
        from getihu.growth import services

        for report in services.update_pools(at=datetime.now(UTC), pool_ids=pool_ids):
            click.echo(
                f"{report.pool_id:<20} 进 {report.entered:,} 退 {report.left:,} 待退 {report.leaving:,}"
                f" 不变 {report.kept:,} 缺数据 {report.unknown:,}，写了 {report.written:,} 行"
            )

    @pools.command("lists")
    def lists() -> None:
        """公示和公布的年度名单。"""
        start()
        from getihu.growth import selectors

        rows = selectors.list_refreshes()
        for row in rows:
            click.echo(
                f"{row.year} {row.county_name} {row.title}：{row.state_label}，{row.members_count:,} 户，"
                f"{row.final_sha256 or row.list_sha256}"
            )
        if not rows:
            click.echo("还没有公示过名单。")

    @pools.command("verify")
    def verify() -> None:
        """把每一份名单按当时知道的重列一遍；指纹对不上，退出码为 1。"""
        start()
        from getihu.growth import services

        wrong = services.verify_lists()
        for line in wrong:
            click.echo(line)
        click.echo("名单都和列出时一致。" if not wrong else f"{len(wrong)} 份对不上。")
        sys.exit(1 if wrong else 0)

    return pools


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"“{text}”不是日期，请写成 2026-10-31 这样。") from None


def _tell_counts(counts: dict[str, int]) -> None:
    from getihu.growth import selectors

    for type_, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        click.echo(f"  {selectors.type_label(type_)}  {count:,}")
