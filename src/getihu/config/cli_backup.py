"""``getihu backup``, ``restore`` and ``drill``."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the commands into the command line. ``start`` makes the settings ready."""
    for make in (_backup, _restore, _drill):
        main.add_command(make(start))


def _backup(start: Start) -> click.Command:
    @click.command("backup")
    @click.argument("target", type=click.Path(path_type=Path))
    def backup(target: Path) -> None:
        """把数据库和数据目录备份成一个文件。TARGET 是新文件，或者一个目录。

        备份里有私钥和个人信息：放在只有管理员能读的地方，加密后再离开这台机器。
        """
        start()
        from getihu.config import backup as backups

        now = datetime.now(UTC)
        if target.is_dir():
            target /= f"getihu-{now:%Y%m%dT%H%M%SZ}.tar"
        made = backups.make(target, now)
        click.echo(f"备份好了：{made.path}（{made.size / 1e6:,.1f} MB，{len(made.parts)} 个文件）")
        click.echo(f"清单指纹 {made.sha256}")
        if made.log_root:
            click.echo(f"审计日志 {made.log_size:,} 条，根 {made.log_root}")
        click.echo("接下来：getihu drill 演练一次恢复。")

    return backup


def _restore(start: Start) -> click.Command:
    @click.command("restore")
    @click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--replace", is_flag=True, help="换掉这里已有的数据；会再问一次。")
    def restore(path: Path, replace: bool) -> None:
        """从备份恢复。先停下网站和 getihu work。"""
        settings = start()
        from getihu.config import backup as backups

        found = backups.inspect(path)
        click.echo(f"备份于 {found.made_at}，{found.engine}，审计日志 {found.log_size:,} 条")
        if replace:
            name = Path(settings.DATA_DIR).resolve().name
            typed = click.prompt(f"要换掉 {settings.DATA_DIR} 和数据库里的一切。确认请输入 {name}")
            if typed != name:
                raise click.Abort
        backups.restore(path, replace=replace)
        click.echo("恢复好了。接下来：getihu setup，再 python manage.py audit check，然后启动。")

    return restore


def _drill(start: Start) -> click.Command:
    @click.command("drill")
    @click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
    def drill(path: Path | None) -> None:
        """演练恢复：恢复到临时的地方，比对每张表的行数和审计日志的根，重放判定凭据。不动现有的数据。

        PATH 是一份备份；不写时现做一份。
        """
        start()
        from getihu.config import backup as backups

        with tempfile.TemporaryDirectory(prefix="getihu-drill-") as folder:
            scratch = Path(folder)
            if path is None:
                path = backups.make(scratch / "drill.tar", datetime.now(UTC)).path
            found = backups.drill(path, scratch)
        rows = sum(found["rows"].values())
        click.echo(
            f"演练通过：{len(found['rows'])} 张表 {rows:,} 行一致，"
            f"审计日志 {found['log_size']:,} 条，根一致，逐条核对没有问题；"
            f"重放判定凭据 {found['replayed']:,} 份，逐字节一致。"
        )

    return drill
