"""The database itself refuses what is not an addition, whoever asks; and what notices if it cannot."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from getihu.audit import guards, selectors
from getihu.audit.models import Checkpoint, Event, SubjectKey
from tests.audit.conftest import full_database_rights, record

pytestmark = pytest.mark.django_db

postgresql_only = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="only PostgreSQL has this"
)
ON_BOTH = [
    "UPDATE audit_event SET actor = 'officer:99'",
    "UPDATE audit_event SET record = salt",
    "UPDATE audit_event SET log_index = log_index + 100 WHERE log_index IS NOT NULL",
    "UPDATE audit_event SET log_index = NULL WHERE log_index = 0",
    "UPDATE audit_event SET log_index = 7, actor = 'officer:99' WHERE log_index IS NULL",
    "DELETE FROM audit_event",
    "DELETE FROM audit_event WHERE log_index IS NULL",
    "INSERT INTO audit_event (kind, actor, object_ref, at, record, salt, commitment, key_digest, "
    "log_index) SELECT kind, actor, object_ref, at, record, salt, 'other', '', 9 FROM audit_event "
    "WHERE log_index = 0",
    "UPDATE audit_checkpoint SET root = 'other'",
    "DELETE FROM audit_checkpoint",
    "INSERT INTO audit_checkpoint (size, root, note, signed_at) "
    "SELECT size, 'other', note, signed_at FROM audit_checkpoint WHERE size = 2",
    "INSERT INTO audit_checkpoint (size, root, note, signed_at) "
    "SELECT 1, 'other', note, signed_at FROM audit_checkpoint WHERE size = 2",
    "DELETE FROM audit_subjectkey",
    "UPDATE audit_subjectkey SET key = key_digest",
]
ON_SQLITE = [
    "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE log_index = 0",
    "REPLACE INTO audit_checkpoint SELECT * FROM audit_checkpoint",
    "UPDATE OR REPLACE audit_event SET log_index = 0 WHERE log_index IS NULL",
]
ON_POSTGRESQL = [
    "TRUNCATE audit_event",
    "TRUNCATE audit_checkpoint CASCADE",
    "TRUNCATE audit_subjectkey",
    "INSERT INTO audit_event (kind, actor, object_ref, at, record, salt, commitment, key_digest) "
    "SELECT kind, actor, object_ref, at, record, salt, 'not what it says', '' FROM audit_event "
    "WHERE log_index = 0",
]
STATEMENTS = [
    *ON_BOTH,
    *(
        pytest.param(s, marks=pytest.mark.skipif("connection.vendor != 'sqlite'"))
        for s in ON_SQLITE
    ),
    *(pytest.param(s, marks=postgresql_only) for s in ON_POSTGRESQL),
]


@pytest.fixture
def rows(grow):
    """Two sequenced events, one waiting, one subject's key."""
    grow(2)
    record(1, first=2)
    SubjectKey.objects.create(subject="trader:1", key=b"k" * 16, key_digest="d" * 64)


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def everything() -> list:
    return [
        list(model.objects.order_by("id").values_list())
        for model in (Event, Checkpoint, SubjectKey)
    ]


def audited_tables() -> list[str]:
    """Tables of other apps whose changes write events; none on SQLite."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'getihu_audit_row'"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_refuses(rows, statement):
    before = everything()

    with pytest.raises(DatabaseError):
        run(statement)

    assert everything() == before


@pytest.mark.parametrize("statement", ON_BOTH[:2] + ON_BOTH[5:7] + ON_BOTH[8:10])
def test_without_the_guards_the_database_would_not_refuse(rows, statement):
    before = everything()

    with full_database_rights():
        run(statement)

    assert everything() != before


def test_the_orm_is_refused_too(rows):
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.update(kind="nothing.happened")
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.first().delete()


def test_a_destroyed_key_stays_destroyed(rows):
    at = datetime(2026, 11, 7, tzinfo=UTC)
    SubjectKey.objects.update(key=None, subject=None, destroyed_at=at)

    with pytest.raises(DatabaseError), transaction.atomic():
        SubjectKey.objects.update(key=b"k" * 16, subject="trader:1", destroyed_at=None)


def test_missing_guards_are_named_at_the_start_and_by_the_check(rows):
    assert guards.check_guards(databases=["default"]) == []
    guards.lift(connection)
    errors = guards.check_guards(databases=["default"])
    findings = selectors.check_log()
    guards.restore(connection)

    assert {error.id for error in errors} == {"getihu.E010"}
    assert len(errors) == len(findings) >= 6


@postgresql_only
def test_a_guard_switched_off_is_named(rows):
    run("ALTER TABLE audit_event DISABLE TRIGGER audit_event_keep")

    assert guards.missing_guards(connection) == ["audit_event_keep"]


@postgresql_only
def test_a_session_that_calls_itself_a_replica_is_refused_too(rows):
    # Only a superuser may say so; the guards say ALWAYS, which is what holds against it.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgrelid = 'audit_event'::regclass "
            "AND NOT tgisinternal"
        )
        assert cursor.fetchall() == [("A",)]


def test_the_reverse_migration_takes_everything_away(rows):
    for table in audited_tables():  # their own migrations are reversed before this one
        guards.remove_from(connection, table)
    guards.remove(connection)
    assert len(guards.missing_guards(connection)) >= 6
    guards.install(connection)
    assert guards.missing_guards(connection) == []
