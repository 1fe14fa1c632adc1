"""One file that holds everything a city needs to go on after losing its machine.

A tar of the database (as its own tool writes it), the data folder without what is made again from
the rest, and a manifest with the digest of every part, the row counts and the audit log's root. A
copy of private keys is in it: whoever has the file can sign as this city.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from django.conf import settings
from django.db import connection, transaction

from getihu.kernel.errors import GetihuError

FORMAT: Final = "getihu/backup/1"
MANIFEST: Final = "manifest.json"
_DATABASE: Final = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
_TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}
_FILES: Final = PurePosixPath("files")
_SLIPS: Final = PurePosixPath("slips")  # decisions of the day, to be made again by a drill
_SLIP_TRADERS, _SLIP_RULES = 3, 10
# Made again from the rest (the last folder of each path), or of this machine only.
_LEFT_OUT: Final = ("static", "rulebook/whatif", "rulebook/proved")
_COMPANIONS: Final = ("-wal", "-shm", "-journal")  # of a SQLite file
_EMPTY: Final = """DO $$ DECLARE found record; BEGIN
FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', found.name); END LOOP;
FOR found IN SELECT p.oid::regprocedure AS name FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', found.name); END LOOP;
END $$"""
_BLOCK: Final = 1 << 20
Ask = Callable[[str], list[tuple[Any, ...]]]


class BackupDamaged(GetihuError):
    """The file is no backup, is cut off, or a part of it is not what the manifest says."""


class NotRestorable(GetihuError):
    """The backup and this installation do not fit, or there is something here already."""


class DrillFailed(GetihuError):
    """What came out of the backup is not what went in."""

    exit_code = 1


@dataclass(frozen=True)
class Backup:
    """A backup as its manifest describes it. ``log_root`` is hexadecimal, empty without a log."""

    path: Path
    made_at: str
    program: str  # its version
    engine: str
    rows: Mapping[str, int]
    migrations: tuple[str, ...]
    log_size: int
    log_root: str
    parts: Mapping[str, str]  # name → SHA-256
    size: int  # bytes of all parts
    sha256: str  # of the manifest: enough to tell one backup from any other


# making one


def make(target: Path, at: datetime) -> Backup:
    """Write a backup; it appears under its name only when it is whole.

    The audit log stands still meanwhile, everything else goes on: the database is copied at one
    moment, and files are never changed once the database names them. Raises: SequencerRunning,
    NotRestorable (``target`` exists, or the database's own tool is not there).
    """
    from getihu.audit import services as audit

    if target.exists():
        raise NotRestorable(f"{target} 已经存在。处理办法：换一个文件名。")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch:
        folder = Path(scratch)
        _keep_slips(folder / _SLIPS)
        with audit.standing_still():
            state = copy_database(folder / _DATABASE[connection.vendor])
            unfinished = folder / "backup.tar"
            _pack(unfinished, folder / _DATABASE[connection.vendor], state, at)
        unfinished.chmod(0o600)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    return inspect(target)


def _pack(tar: Path, database: Path, state: Mapping[str, Any], at: datetime) -> None:
    parts: dict[str, str] = {}
    with tarfile.open(tar, "w") as archive:
        for name, path in [*_parts(database), *_slips(database.parent)]:
            digest, size = hashlib.sha256(), 0
            with path.open("rb") as file:
                info = tarfile.TarInfo(name)
                info.size, info.mode = os.fstat(file.fileno()).st_size, 0o600
                reader = _Counted(file, digest, info.size)
                archive.addfile(info, reader)
                size = reader.left
            if size:
                raise BackupDamaged(f"{path} 在备份时变短了。处理办法：再备份一次。")
            parts[name] = digest.hexdigest()
        manifest = {
            "format": FORMAT,
            "made_at": at.isoformat(timespec="seconds"),
            "program": version("getihu"),
            **state,
            "parts": parts,
        }
        text = json.dumps(manifest, indent=1, sort_keys=True).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(text), 0o600
        archive.addfile(info, io.BytesIO(text))


class _Counted(io.RawIOBase):
    """A file read once, up to a length, its digest taken on the way."""

    def __init__(self, file: Any, digest: Any, length: int) -> None:
        self._file, self._digest, self.left = file, digest, length

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        content: bytes = self._file.read(wanted)
        self._digest.update(content)
        self.left -= len(content)
        return content


def _parts(database: Path) -> Iterator[tuple[str, Path]]:
    yield database.name, database
    home = Path(settings.DATA_DIR)
    copied = _database_files()
    for path in sorted(home.rglob("*")):
        inside = path.relative_to(home).as_posix()
        if path.is_symlink() or not path.is_file() or path.resolve() in copied:
            continue
        if not _is_left_out(inside):
            yield str(_FILES / inside), path


def _slips(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted((folder / _SLIPS).glob("*.json")):
        yield str(_SLIPS / path.name), path


def _keep_slips(folder: Path) -> None:
    """Slips of a few decisions as they are made today, for some traders who have an account. None
    where nothing is published. Their texts go into the archive, which is part of the backup."""
    from getihu.accounts import selectors as accounts
    from getihu.dataplane import selectors as dataplane
    from getihu.rulebook import selectors as rulebook
    from getihu.rulebook import services

    folder.mkdir(parents=True)
    codes = accounts.list_operated("", _SLIP_TRADERS)
    try:
        on = dataplane.get_published_snapshot().data_until
        rules = sorted(rulebook.governing_rules(on))[:_SLIP_RULES]
    except GetihuError:
        return
    for code in codes:
        for rule_id in rules:
            try:
                made = services.issue_slip(code, rule_id, as_of=on)
            except GetihuError:
                continue  # no longer on the register, or its version waits for its report
            (folder / f"{made.sha256}.json").write_bytes(made.content)


def _is_left_out(inside: str) -> bool:
    parts = PurePosixPath(inside).parts
    is_passing = any(part.startswith(".") or part.endswith((".lock", ".columns")) for part in parts)
    return is_passing or inside.startswith(tuple(f"{p}/" for p in _LEFT_OUT))


def _database_files() -> frozenset[Path]:
    """SQLite's own files, wherever they lie: they are copied by SQLite."""
    if connection.vendor != "sqlite":
        return frozenset()
    named = Path(str(connection.settings_dict["NAME"])).resolve()
    return frozenset(named.with_name(named.name + suffix) for suffix in ("", *_COMPANIONS))


def copy_database(target: Path) -> dict[str, Any]:
    """The database as of one moment, by its own tool, while others write; returns the state of
    that very moment (``read_state``)."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            return _state("sqlite", lambda sql: copy.execute(sql).fetchall())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = f"--snapshot={cursor.fetchone()[0]}"
        # Tables with policies are read like any other: no wall is up on this connection.
        options = ["--format=custom", "--no-owner", "--enable-row-security"]
        options += [snapshot, f"--file={target}"]
        _run("pg_dump", options, connection.settings_dict)
        return _state("postgresql", _asked_by(cursor))


def read_state() -> dict[str, Any]:
    """What a copy must have in common with its original: rows, migrations, the log's end."""
    with connection.cursor() as cursor:
        return _state(connection.vendor, _asked_by(cursor))


def _asked_by(cursor: Any) -> Ask:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    return ask


def _state(engine: str, ask: Ask) -> dict[str, Any]:
    from getihu.audit import selectors as audited

    tables = sorted(name for (name,) in ask(_TABLES[engine]))
    checkpoint = audited.find_checkpoint()
    return {
        "engine": engine,
        "rows": {table: ask(f'SELECT count(*) FROM "{table}"')[0][0] for table in tables},
        "migrations": sorted(
            f"{app}.{name}" for app, name in ask("SELECT app, name FROM django_migrations")
        ),
        "log_size": checkpoint.size if checkpoint else 0,
        "log_root": checkpoint.root.hex() if checkpoint else "",
    }


# looking at one


def inspect(path: Path) -> Backup:
    """Read a backup from end to end. Raises BackupDamaged; nothing is written."""
    seen: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    size, digest = 0, ""
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None or not _is_safe(member.name):
                    raise BackupDamaged(f"{path} 里有不该有的内容：{member.name}。不能恢复。")
                if member.name == MANIFEST:
                    text = content.read()
                    manifest, digest = json.loads(text), hashlib.sha256(text).hexdigest()
                    continue
                seen[member.name] = _digest_of(content)
                size += member.size
    except (tarfile.TarError, ValueError, EOFError, OSError) as error:
        raise BackupDamaged(
            f"{path} 读不到底，文件损坏或者没有写完。处理办法：用另一份备份。"
        ) from error
    if manifest is None or manifest.get("format") != FORMAT:
        raise BackupDamaged(f"{path} 不是备份（{FORMAT}），或者没有写完。处理办法：用另一份备份。")
    wrong = sorted(
        name
        for name in seen.keys() | manifest["parts"].keys()
        if seen.get(name) != manifest["parts"].get(name)
    )
    if wrong:
        more = f"等 {len(wrong)} 处" if len(wrong) > 3 else ""
        raise BackupDamaged(
            f"{path} 里的内容和清单对不上：{'、'.join(wrong[:3])}{more}。处理办法：用另一份备份。"
        )
    return Backup(
        path=path,
        made_at=manifest["made_at"],
        program=manifest["program"],
        engine=manifest["engine"],
        rows=manifest["rows"],
        migrations=tuple(manifest["migrations"]),
        log_size=manifest["log_size"],
        log_root=manifest["log_root"],
        parts=seen,
        size=size,
        sha256=digest,
    )


def _digest_of(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


# restoring


def restore(path: Path, *, replace: bool = False) -> Backup:
    """Put a backup in the place of this installation's data folder and database, and compare.

    Everything is read and checked before anything is touched. What was here stays beside it under
    ``….before-restore``; a PostgreSQL database is replaced in one transaction. When a step fails,
    what was here is put back. Raises: BackupDamaged; NotRestorable (other engine, a newer program's
    backup, or data here and ``replace`` not given); DrillFailed (what came out differs: it is left
    for looking at, beside what was here).
    """
    backup = inspect(path)
    _check_fits(backup, replace)
    home = Path(settings.DATA_DIR)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home.parent) as scratch:
        database = unpack(backup, Path(scratch))
        connection.close()
        with ExitStack() as undo:
            _swap(Path(scratch) / _FILES, home, undo)
            if backup.engine == "postgresql":
                load_dump(database, connection.settings_dict)
            else:
                _swap(database, Path(str(connection.settings_dict["NAME"])), undo)
            undo.pop_all()
    _compare(backup, home, _address(connection.settings_dict))
    return backup


def _check_fits(backup: Backup, replace: bool) -> None:
    from django.db.migrations.loader import MigrationLoader

    if backup.engine != connection.vendor:
        raise NotRestorable(
            f"这份备份是 {backup.engine} 的，这里用的是 {connection.vendor}。"
            "处理办法：把 GETIHU_DATABASE_URL 改成同一种数据库。"
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(backup.migrations) - known)
    if newer:
        raise NotRestorable(
            f"这份备份来自更新的程序（{backup.program}，{newer[0]}）。处理办法：先升级程序，再恢复。"
        )
    if not replace and _holds_data():
        raise NotRestorable(
            f"这里已经有数据（{settings.DATA_DIR}）。处理办法：确认要换掉以后加 --replace。"
        )


def _holds_data() -> bool:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    return "audit_event" in tables or (Path(settings.DATA_DIR) / "dataplane").exists()


def unpack(backup: Backup, folder: Path) -> Path:
    """The parts of a backup in ``folder``, each compared once more as it is written; returns where
    the database lies. The data folder is ``files`` beside it, there even when it is empty."""
    (folder / _FILES).mkdir(parents=True, exist_ok=True)
    with tarfile.open(backup.path, "r:") as archive:
        for member in archive:
            if member.name == MANIFEST:
                continue
            target, digest = folder / member.name, hashlib.sha256()
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None
            with target.open("xb") as file:
                shutil.copyfileobj(_Counted(content, digest, member.size), file, _BLOCK)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != backup.parts.get(member.name):
                raise BackupDamaged(
                    f"{backup.path} 在恢复途中变了：{member.name}。没有动现有的数据。"
                )
            target.chmod(0o600)
    return folder / _DATABASE[backup.engine]


def load_dump(dump: Path, database: Mapping[str, Any]) -> None:
    """A PostgreSQL dump in the place of all the database holds, all or nothing.

    The schema is emptied in the same transaction: an older backup must not leave the tables of a
    newer program behind.
    """
    script = dump.with_suffix(".sql")
    _run("pg_restore", ["--no-owner", f"--file={script}", str(dump)], {})
    options = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    _run("psql", [*options, f"--command={_EMPTY}", f"--file={script}"], database)
    script.unlink()


def _swap(new: Path, place: Path, undo: ExitStack) -> None:
    """``new`` at ``place``, what was there beside it; ``undo`` takes it back."""
    if place.exists():
        kept = _beside(place)
        for suffix in ("", *_COMPANIONS):
            if (old := place.with_name(place.name + suffix)).exists():
                old.replace(aside := kept.with_name(kept.name + suffix))
                undo.callback(aside.replace, old)
    place.parent.mkdir(parents=True, exist_ok=True)
    new.replace(place)
    undo.callback(place.replace, new)


def _beside(place: Path) -> Path:
    kept, number = place.with_name(f"{place.name}.before-restore"), 1
    while kept.exists():
        number += 1
        kept = place.with_name(f"{place.name}.before-restore-{number}")
    return kept


# the drill


def drill(path: Path, scratch: Path) -> dict[str, Any]:
    """Restore a backup into an empty place and compare: rows of every table, the log's root, the
    log with itself, and decisions made again from the copy alone, byte by byte: those of the day
    and those awards rest on. Nothing of this installation is touched.
    Raises: BackupDamaged, DrillFailed; NotRestorable."""
    backup = inspect(path)
    database = unpack(backup, scratch)
    with _scratch_database(backup, database) as address:
        return _compare(backup, scratch / _FILES, address, scratch / _SLIPS)


def _compare(backup: Backup, home: Path, address: str, slips: Path | None = None) -> dict[str, Any]:
    """What a process of its own finds there, if it is what the backup says. Raises DrillFailed."""
    done = subprocess.run(
        [sys.executable, "-m", "getihu.config.backup_state", *([str(slips)] if slips else [])],
        env={**os.environ, "GETIHU_DATA_DIR": str(home), "GETIHU_DATABASE_URL": address},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise DrillFailed(f"恢复出来的数据打不开：{done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    wanted = {
        "rows": dict(backup.rows),
        "migrations": list(backup.migrations),
        "log_size": backup.log_size,
        "log_root": backup.log_root,
        "findings": [],
        "differing": [],
    }
    wrong = [name for name, value in wanted.items() if found[name] != value]
    if wrong:
        more = f"（{'；'.join(found['differing'][:3])}）" if found["differing"] else ""
        raise DrillFailed(f"恢复出来的和备份时不一样：{'、'.join(wrong)}{more}。")
    return found


@contextmanager
def _scratch_database(backup: Backup, database: Path) -> Iterator[str]:
    if backup.engine == "sqlite":
        yield f"sqlite:///{database.as_posix()}"
        return
    name = f"getihu_drill_{os.getpid()}_{secrets.token_hex(4)}"
    with _admin() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        here = {**connection.settings_dict, "NAME": name}
        load_dump(database, here)
        yield _address(here)
    finally:
        _drop(name)


def _drop(name: str) -> None:
    """Without force the server ends its own autovacuum workers there and waits for them; with it
    they, a superuser's, may not be ended by us. Force is for sessions of ours that were left."""
    import psycopg

    with _admin() as cursor:
        try:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        except psycopg.errors.ObjectInUse:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _admin() -> Iterator[Any]:
    import psycopg

    here = connection.settings_dict
    with psycopg.connect(_address(here), autocommit=True) as admin, admin.cursor() as cursor:
        try:
            yield cursor
        except psycopg.errors.InsufficientPrivilege as error:
            raise NotRestorable(
                "演练要临时建一个数据库，现在的数据库用户没有权限。处理办法：给它 CREATEDB，"
                "或者在另一台机器上演练。"
            ) from error


def _address(database: Mapping[str, Any]) -> str:
    from urllib.parse import quote

    if connection.vendor == "sqlite":
        return f"sqlite:///{Path(str(database['NAME'])).as_posix()}"
    who = quote(str(database["USER"]), safe="")
    secret = f":{quote(str(database['PASSWORD']), safe='')}" if database["PASSWORD"] else ""
    host, port = database["HOST"] or "127.0.0.1", database["PORT"] or 5432
    where = f"[{host}]" if ":" in host else quote(host, safe="")
    return f"postgres://{who}{secret}@{where}:{port}/{database['NAME']}"


def _run(program: str, options: list[str], database: Mapping[str, Any]) -> None:
    """One of PostgreSQL's own tools, on a database if one is given; the password goes by the
    environment."""
    found = _tool(program)
    where = {
        "PGHOST": database.get("HOST"),
        "PGPORT": database.get("PORT"),
        "PGUSER": database.get("USER"),
        "PGPASSWORD": database.get("PASSWORD"),
    }
    named = ["--dbname=" + str(database["NAME"])] if database else []
    done = subprocess.run(
        [found, *named, *options],
        env={**os.environ, **{key: str(value) for key, value in where.items() if value}},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotRestorable(f"{program} 没有做成：{done.stderr.strip()[-300:]}")


def _tool(program: str) -> str:
    """From the folder the settings name; Debian's newest; else what is on the path."""
    if settings.POSTGRESQL_BIN:
        return str(Path(settings.POSTGRESQL_BIN) / program)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = str(debian[-1]) if debian else shutil.which(program)
    if found is None:
        raise NotRestorable(f"找不到 {program}。处理办法：安装 PostgreSQL 的客户端程序。")
    return found
