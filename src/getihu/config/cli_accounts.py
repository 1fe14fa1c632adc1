"""``getihu reset-second-factor``: what the page does, where the page cannot be reached."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

Start = Callable[[], Any]


def register(main: click.Group, start: Start) -> None:
    """Hang the command into the command line. ``start`` makes the settings ready."""
    main.add_command(_reset(start))


def _reset(start: Start) -> click.Command:
    @click.command("reset-second-factor")
    @click.argument("login")
    @click.option("--by", required=True, metavar="登录名", help="办理的安全管理员。")
    @click.option("--reason", required=True, help="理由，和怎样核对的本人；记进审计日志。")
    def reset(login: str, by: str, reason: str) -> None:
        """重设一名办事人员丢了的动态口令；她下次登录时重新设，并收到通知。自己的不能重设。"""
        start()
        from getihu.accounts import selectors
        from getihu.accounts.services import AccountConflict
        from getihu.journeys import services

        now = datetime.now(UTC)
        account = selectors.find_account_id(login)
        if account is None:
            raise AccountConflict("没有这个账号，或者已经关闭。处理办法：核对登录名。")
        services.reset_second_factor(
            account, reason=reason, by=selectors.find_actor(by, now), at=now
        )
        click.echo("重设好了。她现在的登录已经失效，下次登录时重新设；通知由 getihu work 发出。")

    return reset
