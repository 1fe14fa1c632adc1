"""Start-up refusals: the service does not start on settings that lose acknowledged data."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

WAL_SAFE_FROM = (3, 51, 3)
SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


@register(Tags.database)
def check_sqlite_is_safe(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse an SQLite whose settings can lose acknowledged data in a power cut (docs/adr/0003).

    WAL needs a library without the WAL-reset bug and synchronous=FULL; a rollback journal needs
    EXTRA; transactions begin IMMEDIATE; memory-mapped reading is off; foreign keys are enforced.
    """
    errors: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor == "sqlite":
            errors += _sqlite_errors(alias, connection)
    return errors


def _sqlite_errors(alias: str, connection: Any) -> list[Error]:
    def pragma(name: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {name}")
            row = cursor.fetchone()
        return row[0] if row else 0

    journal = str(pragma("journal_mode")).lower()
    synchronous = SYNCHRONOUS[int(pragma("synchronous"))]
    problems = []
    if journal == "wal" and sqlite3.sqlite_version_info < WAL_SAFE_FROM:
        problems.append(
            f"SQLite {sqlite3.sqlite_version} 的 WAL 有损坏数据的缺陷，请改用 DELETE 日志"
        )
    if journal == "wal" and synchronous not in ("FULL", "EXTRA"):
        problems.append(f"WAL 需要 synchronous=FULL，现在是 {synchronous}")
    if journal == "delete" and synchronous != "EXTRA":
        problems.append(f"DELETE 日志需要 synchronous=EXTRA，现在是 {synchronous}")
    if journal not in ("wal", "delete", "memory"):
        problems.append(f"不支持的日志方式 {journal}")
    if int(pragma("mmap_size")) != 0:
        problems.append("必须关闭内存映射（mmap_size=0）")
    if int(pragma("foreign_keys")) != 1:
        problems.append("必须启用外键约束")
    if connection.transaction_mode != "IMMEDIATE":
        problems.append("事务必须以 IMMEDIATE 开始")
    return [
        Error(text, hint="见 docs/adr/0003", id="getihu.E001", obj=f"数据库 {alias}")
        for text in problems
    ]
