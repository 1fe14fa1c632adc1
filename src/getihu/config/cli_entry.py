"""The register of filings on the command line: ``getihu register``."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

Start = Callable[[], Any]
CITY = ZoneInfo("Asia/Shanghai")


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    main.add_command(_register(start))
    main.add_command(_deliver(start))


def _register(start: Start) -> click.Command:
    @click.command("rebuild-register")
    def command() -> None:
        """按登记事实重建登记簿，说出有几户与原来不同。"""
        start()
        from getihu.entry import services

        traders, different = services.rebuild_register()
        click.echo(f"登记簿已重建：{traders} 户，与原来不同 {different} 户。")
        if different:
            raise SystemExit(1)

    return command


def _deliver(start: Start) -> click.Command:
    @click.command("deliver-register")
    @click.argument("inbox", type=click.Path(path_type=Path, file_okay=False))
    def command(inbox: Path) -> None:
        """把登记的变化作为登记部门的一批数据送进 INBOX；接着用 getihu ingest 收。每晚运行。"""
        start()
        from django.conf import settings

        from getihu.entry import services
        from getihu.kernel.errors import GetihuError

        at = datetime.now(UTC)
        try:
            made = services.deliver_register(
                inbox, on=at.astimezone(CITY).date(), at=at, key_file=settings.REGISTER_KEY_FILE
            )
        except GetihuError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"送进 {inbox / made}。" if made else "上次以后没有变化，没有送。")

    return command
