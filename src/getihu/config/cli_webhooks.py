"""``getihu webhooks``: who is told of events, how far that has come, and once more."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the command into the command line. ``start`` makes the settings ready."""
    main.add_command(_webhooks(start))


def _webhooks(start: Start) -> click.Command:
    @click.command("webhooks")
    @click.option("--again", metavar="名字", help="没有送到的，从头再送。")
    def webhooks(again: str | None) -> None:
        """事件接收方：等着送的、送到的、没有送到的各多少。有没送到的，退出码为 1。"""
        start()
        from getihu.notifications import selectors, services

        if again:
            count = services.retry_failed(again, at=datetime.now(UTC))
            click.echo(f"{again}：{count:,} 件从头再送，由 getihu work 送出")
        listed = selectors.list_endpoints()
        for row in listed:
            gone = "" if row.is_configured else "（设置里没有了）"
            click.echo(
                f"{row.endpoint}{gone}：等着送 {row.waiting:,}，送到 {row.sent:,}，"
                f"没有送到 {row.failed:,}"
            )
        if not listed:
            click.echo("没有事件接收方。处理办法：在 GETIHU_WEBHOOKS 里写。")
        sys.exit(1 if any(row.failed for row in listed) else 0)

    return webhooks
