"""The second wall, on PostgreSQL: the database itself holds back rows outside an actor's reach.

Queries carry their scope already; this catches one that forgets to. Tables opt in by a policy in
their own migration (``getihu.access.migrations_support``) that asks the settings below. Jobs and
commands work for everybody and stand behind no wall; so do services that have made sure of a right
that no row can show (a code, a person's office, everybody's numbers), by ``over_the_wall``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from getihu.accounts.contracts import Actor

INERROR = 3  # of libpq: the transaction failed and waits for its end
UP, TRADERS, REACH = "getihu.wall", "getihu.traders", "getihu.reach"
ACCOUNT = "getihu.account"


@contextmanager
def walled(actor: Actor) -> Iterator[None]:
    """Within: this connection reads and writes what ``actor`` may see, in tables with a policy.

    One statement before, one after; nothing on SQLite, which has no such policies.
    """
    if connection.vendor != "postgresql":
        yield
        return
    traders = sorted(actor.own | {code for code, _ in actor.authorised})
    _set("on", traders, sorted(_patterns(actor)), actor.account_id)
    try:
        yield
    finally:
        if not _is_broken():  # a transaction that is rolled back takes it along
            _set("", [], [], "")


@contextmanager
def over_the_wall() -> Iterator[None]:
    """Within: a count or a choice over everybody's rows, of which the actor sees only the result."""
    if connection.vendor != "postgresql":
        yield
        return
    before = _show()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', false)", [UP])
    try:
        yield
    finally:
        if not _is_broken():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, %s, false)", [UP, before])


def _is_broken() -> bool:
    """Whether the transaction can only be rolled back, so that nothing more can be said in it."""
    return connection.needs_rollback or (
        connection.connection is not None
        and connection.connection.info.transaction_status == INERROR
    )


def _patterns(actor: Actor) -> set[str]:
    """One LIKE pattern ``role:agency:division…`` per place a grant reaches."""
    return {
        f"{_plain(grant.role.value)}:{_plain(grant.agency)}:{_plain(prefix)}%"
        for grant in actor.grants
        for prefix in grant.scope.prefixes
    }


def _plain(text: str) -> str:
    """Text of which LIKE takes every character for itself."""
    return text.replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%")


def _set(up: str, traders: list[str], reach: list[str], account: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(%s, %s, false), set_config(%s, %s::text[]::text, false),"
            " set_config(%s, %s::text[]::text, false), set_config(%s, %s, false)",
            [UP, up, TRADERS, traders, REACH, reach, ACCOUNT, account],
        )


def _show() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [UP])
        return str(cursor.fetchone()[0])
