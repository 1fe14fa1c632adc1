"""The register of filings on the command line: ``getihu register``."""

from collections.abc import Callable
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    main.add_command(_register(start))


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
