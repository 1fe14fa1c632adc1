"""Appeals on the command line: ``getihu appeals import``."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""

    @click.group("appeals")
    def group() -> None:
        """诉求。"""

    group.add_command(_import(start))
    main.add_command(group)


def _import(start: Start) -> click.Command:
    @click.command("import")
    @click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @click.option("--by", "login", required=True, help="代为登记的人的登录名。")
    def command(file: Path, login: str) -> None:
        """收进 12345 热线的一个 CSV 文件：全部收进，或者一行也不收、说出每一行的问题。"""
        start()
        from getihu.accounts.selectors import find_actor
        from getihu.kernel.errors import GetihuError
        from getihu.support import services

        at = datetime.now(UTC)
        try:
            by = find_actor(login, at)
            new, known = services.import_appeals(file.read_bytes(), file=file.name, by=by, at=at)
        except GetihuError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"收进 {new} 件，已经有的 {known} 件没有再收。")

    return command
