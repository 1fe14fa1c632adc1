"""Start-up refusals: the service does not start on settings that lose acknowledged data."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

WAL_SAFE_FROM = (3, 51, 3)
TEST_CLIENT = {"testserver"}
SHORTEST_KEY = 32
# What a PostgreSQL must not have off: each loses or corrupts what it said was kept. ``local`` and
# the replica levels of synchronous_commit all wait for the disk here.
POSTGRESQL_ON = {
    "synchronous_commit": "已提交的数据在断电时会丢",
    "fsync": "断电后数据库可能坏掉",
    "full_page_writes": "断电后数据库可能坏掉",
    "data_checksums": "坏了的数据页读出来也不知道",
}
SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


@register(Tags.security)
def check_settings_are_safe(**_: Any) -> list[CheckMessage]:
    """Refuse what is harmless on one machine and dangerous once others can reach it."""
    from django.conf import settings

    hosts = set(settings.ALLOWED_HOSTS)
    problems = []
    if "*" in hosts:
        problems.append("GETIHU_ALLOWED_HOSTS 不能写 *，请写出域名")
    if hosts - settings.THIS_MACHINE - TEST_CLIENT:
        if settings.DEBUG:
            problems.append("对外服务时不能开 GETIHU_DEBUG，出错页会露出数据")
        if len(settings.SECRET_KEY) < SHORTEST_KEY:
            problems.append(f"GETIHU_SECRET_KEY 至少要 {SHORTEST_KEY} 个字符")
        if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
            problems.append("对外服务要走 HTTPS，不要把 GETIHU_HTTPS 设成 false")
    problems += _province_problems(hosts) + _witness_problems()
    return [Error(text, id="getihu.E011", obj="设置") for text in problems]


def _witness_problems() -> list[str]:
    """Witnesses that can be read, and as many as are wanted."""
    from django.conf import settings

    from getihu.audit.services import WitnessUnknown, witnesses

    try:
        names = {witness.name for witness in witnesses()}
    except WitnessUnknown as error:
        return [str(error)]
    if len(names) < settings.AUDIT_WITNESS_QUORUM:
        return [f"GETIHU_AUDIT_WITNESS_QUORUM 要的见证人比写出的 {len(names)} 个多"]
    return []


def _province_problems(hosts: set[str]) -> list[str]:
    """The provincial login wants all of its settings, and TLS once others can reach the service."""
    from django.conf import settings

    province = settings.PROVINCE
    if not province["url"]:
        return []
    names = {"sign_in": "SIGN_IN", "key": "KEY", "secret": "SECRET"}
    problems = [
        f"设了 GETIHU_PROVINCE_URL，还要设 GETIHU_PROVINCE_{name}"
        for key, name in names.items()
        if not province[key]
    ]
    is_plain = not all(province[key].startswith("https://") for key in ("url", "sign_in"))
    if is_plain and hosts - settings.THIS_MACHINE - TEST_CLIENT:
        problems.append("省统一登录的两个地址都要以 https:// 开头")
    return problems


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


@register(Tags.database)
def check_policies_hold(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse a PostgreSQL role that row-level security does not bind (``getihu.access.wall``)."""
    return [
        Error(
            "连接用的角色不受行级安全约束（SUPERUSER 或 BYPASSRLS），请换一个普通角色",
            hint="CREATE ROLE getihu LOGIN NOSUPERUSER NOBYPASSRLS，并让它拥有这个数据库",
            id="getihu.E012",
            obj=f"数据库 {alias}",
        )
        for alias in databases or []
        if connections[alias].vendor == "postgresql" and _is_above_policies(connections[alias])
    ]


@register(Tags.database)
def check_postgresql_keeps(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Refuse a PostgreSQL that may lose acknowledged data in a power cut, or not notice damage."""
    errors: list[CheckMessage] = []
    for alias in databases or []:
        if connections[alias].vendor != "postgresql":
            continue
        errors += [
            Error(
                f"{name} 关着，{why}，请打开",
                hint="改 postgresql.conf；data_checksums 用 pg_checksums --enable",
                id="getihu.E013",
                obj=f"数据库 {alias}",
            )
            for name, why in POSTGRESQL_ON.items()
            if _setting(connections[alias], name) == "off"
        ]
    return errors


def _setting(connection: Any, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


def _is_above_policies(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


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
