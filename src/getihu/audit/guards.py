"""Guards in the database itself: what refuses a change of the log, and what notices a change of
an audited table whatever way it comes.

On PostgreSQL the guards of the log hold against every statement of a role that does not own the
tables, and audited tables write an event for every row changed. On SQLite the guards of the log
hold against statements through the library; audited tables have none: there, only the service
functions write events.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOG_TABLES: Final = ("audit_event", "audit_subjectkey", "audit_checkpoint")
_FIXED: Final = ("id", "kind", "actor", "object_ref", "at", "record", "salt", "commitment",
                 "key_digest")  # fmt: skip

# 网络数据安全管理条例 第十二条 wants records for three years; before, nobody empties an event. After,
# what a commitment stands for may go: the commitment and its place stay, so every proof holds.
KEPT_YEARS: Final = 3
_EMPTIED: Final = (
    "length(NEW.record) = 0 AND length(NEW.salt) = 0 AND NEW.actor = '' AND NEW.key_digest = '' "
    "AND (NEW.object_ref = '' OR (NEW.object_ref = OLD.object_ref AND OLD.object_ref LIKE 'slip:%'))"
)
_STAYS: Final = ("id", "kind", "at", "commitment", "log_index")

_SQLITE_STAYS: Final = " AND ".join(f"NEW.{c} IS OLD.{c}" for c in _STAYS)
_SQLITE_FIXED: Final = " AND ".join(f"NEW.{c} IS OLD.{c}" for c in _FIXED)
_SQLITE: Final = {
    # REPLACE would remove a row without a DELETE, so a taken number is refused before.
    "audit_event_insert": """
        CREATE TRIGGER audit_event_insert BEFORE INSERT ON audit_event
        WHEN NEW.log_index IS NOT NULL
          OR EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR commitment = NEW.commitment)
        BEGIN SELECT RAISE(ABORT, '审计日志：只能追加新的事件'); END""",
    "audit_event_update": f"""
        CREATE TRIGGER audit_event_update BEFORE UPDATE ON audit_event
        WHEN NOT (OLD.log_index IS NULL AND NEW.log_index IS NOT NULL AND {_SQLITE_FIXED}
          AND NOT EXISTS (SELECT 1 FROM audit_event WHERE log_index = NEW.log_index))
          AND NOT (OLD.log_index IS NOT NULL AND {_SQLITE_STAYS} AND {_EMPTIED}
          AND OLD.at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-{KEPT_YEARS} years'))
        BEGIN SELECT RAISE(ABORT, '审计日志：事件不能改动'); END""",
    "audit_event_delete": """
        CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event
        BEGIN SELECT RAISE(ABORT, '审计日志：事件不能删除'); END""",
    "audit_subjectkey_update": """
        CREATE TRIGGER audit_subjectkey_update BEFORE UPDATE ON audit_subjectkey
        WHEN NOT (OLD.key IS NOT NULL AND NEW.key IS NULL AND NEW.id IS OLD.id
          AND NEW.key_digest IS OLD.key_digest)
        BEGIN SELECT RAISE(ABORT, '审计日志：主体密钥只能销毁'); END""",
    "audit_subjectkey_delete": """
        CREATE TRIGGER audit_subjectkey_delete BEFORE DELETE ON audit_subjectkey
        BEGIN SELECT RAISE(ABORT, '审计日志：主体密钥的记录不能删除'); END""",
    "audit_checkpoint_insert": """
        CREATE TRIGGER audit_checkpoint_insert BEFORE INSERT ON audit_checkpoint
        WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE id = NEW.id OR size >= NEW.size)
        BEGIN SELECT RAISE(ABORT, '审计日志：检查点只能变大'); END""",
    "audit_checkpoint_update": """
        CREATE TRIGGER audit_checkpoint_update BEFORE UPDATE ON audit_checkpoint
        BEGIN SELECT RAISE(ABORT, '审计日志：检查点不能改动'); END""",
    "audit_checkpoint_delete": """
        CREATE TRIGGER audit_checkpoint_delete BEFORE DELETE ON audit_checkpoint
        BEGIN SELECT RAISE(ABORT, '审计日志：检查点不能删除'); END""",
}

_PG_FIXED: Final = "({}) IS NOT DISTINCT FROM ({})".format(
    ", ".join(f"NEW.{c}" for c in _FIXED), ", ".join(f"OLD.{c}" for c in _FIXED)
)
_PG_STAYS: Final = "({}) IS NOT DISTINCT FROM ({})".format(
    ", ".join(f"NEW.{c}" for c in _STAYS), ", ".join(f"OLD.{c}" for c in _STAYS)
)
_PG_EVENT_GUARD: Final = f"""
CREATE OR REPLACE FUNCTION getihu_audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.log_index IS NULL AND NEW.commitment = encode(sha256(
        convert_to(E'getihu.audit/v1\\n', 'UTF8') || NEW.salt || NEW.record), 'hex') THEN
      RETURN NEW;
    END IF;
  ELSIF OLD.log_index IS NULL AND NEW.log_index IS NOT NULL AND {_PG_FIXED} THEN
    RETURN NEW;
  ELSIF OLD.log_index IS NOT NULL AND {_PG_STAYS} AND {_EMPTIED}
      AND OLD.at < clock_timestamp() - interval '{KEPT_YEARS} years' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '审计日志：事件不能改动，也不能带着序号写入'
    USING ERRCODE = 'integrity_constraint_violation';
END $body$;
"""
_PG_FUNCTIONS: Final = f"""
CREATE FUNCTION getihu_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '审计日志：% 只能追加，不能 %', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'integrity_constraint_violation';
END $body$;

{_PG_EVENT_GUARD}
CREATE FUNCTION getihu_audit_key_guard() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF OLD.key IS NOT NULL AND NEW.key IS NULL AND NEW.id = OLD.id
     AND NEW.key_digest = OLD.key_digest THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '审计日志：主体密钥只能销毁' USING ERRCODE = 'integrity_constraint_violation';
END $body$;

CREATE FUNCTION getihu_audit_checkpoint_guard() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE size >= NEW.size) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '审计日志：检查点只能变大' USING ERRCODE = 'integrity_constraint_violation';
END $body$;

-- A JSON text in ASCII, byte for byte as the program writes it.
CREATE FUNCTION getihu_audit_text(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
  plain text := to_json(value)::text;
  escaped text := '';
  one text;
  code int;
BEGIN
  IF plain !~ '[^ -~]' THEN
    RETURN plain;
  END IF;
  FOREACH one IN ARRAY regexp_split_to_array(plain, '') LOOP
    code := ascii(one);
    IF code BETWEEN 32 AND 126 THEN
      escaped := escaped || one;
    ELSIF code < 65536 THEN
      escaped := escaped || '\\u' || lpad(to_hex(code), 4, '0');
    ELSE
      escaped := escaped || '\\u' || to_hex(55296 + ((code - 65536) >> 10))
                         || '\\u' || to_hex(56320 + ((code - 65536) & 1023));
    END IF;
  END LOOP;
  RETURN escaped;
END $body$;

-- The key of one row's digests: its versions can be compared, and it can be destroyed.
CREATE FUNCTION getihu_audit_row_key(of_row text, OUT row_key bytea, OUT row_key_digest text)
LANGUAGE plpgsql SET search_path = pg_catalog, {{schema}}, pg_temp AS $body$
BEGIN
  SELECT k.key, k.key_digest INTO row_key, row_key_digest
    FROM audit_subjectkey k WHERE k.subject = 'row:' || of_row;
  IF row_key IS NULL THEN
    row_key := substr(decode(replace(gen_random_uuid()::text || gen_random_uuid()::text,
                                     '-', ''), 'hex'), 1, 16);
    row_key := substr(sha256(row_key || decode(replace(
      gen_random_uuid()::text, '-', ''), 'hex')), 1, 16);
    row_key_digest := encode(sha256(
      convert_to(E'getihu.audit/key\\n', 'UTF8') || row_key), 'hex');
    INSERT INTO audit_subjectkey (subject, key, key_digest)
      VALUES ('row:' || of_row, row_key, row_key_digest) ON CONFLICT (subject) DO NOTHING;
    SELECT k.key, k.key_digest INTO row_key, row_key_digest
      FROM audit_subjectkey k WHERE k.subject = 'row:' || of_row;
  END IF;
END $body$;

CREATE FUNCTION getihu_audit_write(kind text, object text, body text, key_digest text)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, {{schema}}, pg_temp SET TimeZone = 'UTC' AS $body$
DECLARE
  actor text := coalesce(nullif(current_setting('getihu.actor', true), ''),
                         'db:' || session_user);
  at timestamptz := clock_timestamp();
  record bytea;
  salt bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text,
                               '-', ''), 'hex');
BEGIN
  IF actor !~ '^[a-z][a-z0-9_]{{{{0,62}}}}:[A-Za-z0-9][A-Za-z0-9._:/-]{{{{0,79}}}}$' THEN
    actor := 'unknown:' || substr(encode(sha256(convert_to(actor, 'UTF8')), 'hex'), 1, 32);
  END IF;
  record := convert_to(
    '{{{{"actor":' || getihu_audit_text(actor)
    || ',"at":"' || to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US') || 'Z"'
    || ',"body":' || body || ',"kind":' || getihu_audit_text(kind)
    || ',"object":' || getihu_audit_text(object) || ',"personal":null,"v":1}}}}', 'UTF8');
  INSERT INTO audit_event
    (kind, actor, object_ref, at, record, salt, commitment, key_digest, log_index)
  VALUES (kind, actor, object, at, record, salt, encode(sha256(
    convert_to(E'getihu.audit/v1\\n', 'UTF8') || salt || record), 'hex'), key_digest, NULL);
END $body$;

CREATE FUNCTION getihu_audit_row() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {{schema}}, pg_temp SET TimeZone = 'UTC' AS $body$
DECLARE
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  id text := coalesce(after, before) ->> TG_ARGV[0];
  object text;
  row_key bytea;
  row_key_digest text;
  changed text;
BEGIN
  IF id IS NULL OR id !~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{{{{0,59}}}}$' THEN
    id := 'sha256/' || substr(encode(sha256(convert_to(coalesce(id, ''), 'UTF8')), 'hex'), 1, 32);
  END IF;
  object := TG_TABLE_NAME || ':' || id;
  SELECT * INTO row_key, row_key_digest FROM getihu_audit_row_key(object);
  SELECT coalesce(string_agg(getihu_audit_text(key), ',' ORDER BY key COLLATE "C"), '')
    INTO changed
    FROM (SELECT key FROM jsonb_each(coalesce(after, before))) AS columns
    WHERE before IS NULL OR after IS NULL OR before -> key IS DISTINCT FROM after -> key;
  PERFORM getihu_audit_write(
    'row.' || lower(TG_OP), object,
    '{{{{"columns":[' || changed || ']'
    || ',"key_digest":"' || row_key_digest || '"'
    || ',"new":' || coalesce('"' || encode(sha256(
         row_key || convert_to(after::text, 'UTF8')), 'hex') || '"', 'null')
    || ',"old":' || coalesce('"' || encode(sha256(
         row_key || convert_to(before::text, 'UTF8')), 'hex') || '"', 'null')
    || ',"reason":' || getihu_audit_text(coalesce(current_setting('getihu.reason', true), ''))
    || '}}}}', row_key_digest);
  RETURN NULL;
END $body$;

CREATE FUNCTION getihu_audit_truncate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, {{schema}}, pg_temp AS $body$
DECLARE
  rows bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO rows;
  PERFORM getihu_audit_write('row.truncate', TG_TABLE_NAME || ':all',
    '{{{{"reason":' || getihu_audit_text(coalesce(current_setting('getihu.reason', true), ''))
    || ',"rows":' || rows || '}}}}', '');
  RETURN NULL;
END $body$;
"""
_PG_FUNCTION_NAMES: Final = (
    "getihu_audit_truncate()", "getihu_audit_row()", "getihu_audit_write(text,text,text,text)",
    "getihu_audit_row_key(text)", "getihu_audit_text(text)", "getihu_audit_checkpoint_guard()",
    "getihu_audit_key_guard()", "getihu_audit_event_guard()", "getihu_audit_refuse()",
)  # fmt: skip
_PG_TRIGGERS: Final = {
    "audit_event_guard": (
        "audit_event",
        "BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION getihu_audit_event_guard()",
    ),
    "audit_event_keep": (
        "audit_event",
        "BEFORE DELETE OR TRUNCATE ON {} EXECUTE FUNCTION getihu_audit_refuse()",
    ),
    "audit_subjectkey_guard": (
        "audit_subjectkey",
        "BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION getihu_audit_key_guard()",
    ),
    "audit_subjectkey_keep": (
        "audit_subjectkey",
        "BEFORE DELETE OR TRUNCATE ON {} EXECUTE FUNCTION getihu_audit_refuse()",
    ),
    "audit_checkpoint_guard": (
        "audit_checkpoint",
        "BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION getihu_audit_checkpoint_guard()",
    ),
    "audit_checkpoint_keep": (
        "audit_checkpoint",
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON {} EXECUTE FUNCTION getihu_audit_refuse()",
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Put the guards of the log in place; on PostgreSQL also the functions of audited tables."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            schema = cursor.fetchone()[0]
            cursor.execute(_PG_FUNCTIONS.format(schema=schema))
    restore(connection)


def let_old_events_be_emptied(connection: BaseDatabaseWrapper) -> None:
    """Bring the guard of events up to date on a database made before it knew a term."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_PG_EVENT_GUARD)
    else:
        restore(connection)


def remove(connection: BaseDatabaseWrapper) -> None:
    lift(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in _PG_FUNCTION_NAMES:
                cursor.execute(f"DROP FUNCTION {name}")


def restore(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers of the log in place, again where they are there already."""
    lift(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, (table, rest) in _PG_TRIGGERS.items():
                cursor.execute(f"CREATE TRIGGER {name} {rest.format(table)}")
                # Also where a session calls itself a replica.
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        else:
            for statement in _SQLITE.values():
                cursor.execute(statement)


def lift(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers of the log away: for the reverse migration, and for attacks in tests."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, (table, _) in _PG_TRIGGERS.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        else:
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def install_on(connection: BaseDatabaseWrapper, table: str, key: str) -> None:
    """Make every change of a table write an event (PostgreSQL)."""
    if connection.vendor != "postgresql":
        return
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TRIGGER getihu_audit_row AFTER INSERT OR UPDATE OR DELETE ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION getihu_audit_row(%s)",
            [key],
        )
        cursor.execute(
            f"CREATE TRIGGER getihu_audit_truncate BEFORE TRUNCATE ON {name} "
            f"EXECUTE FUNCTION getihu_audit_truncate()"
        )
        for trigger in ("getihu_audit_row", "getihu_audit_truncate"):
            cursor.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {trigger}")


def remove_from(connection: BaseDatabaseWrapper, table: str) -> None:
    if connection.vendor != "postgresql":
        return
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        for trigger in ("getihu_audit_row", "getihu_audit_truncate"):
            cursor.execute(f"DROP TRIGGER {trigger} ON {name}")


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """Guards that are not in place or switched off, those of audited tables included."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE t.tgenabled = 'A' AND c.relnamespace = current_schema()::regnamespace"
            )
            present = {row[0] for row in cursor.fetchall()}
            cursor.execute(
                "SELECT c.relname || '.' || t.tgname FROM pg_trigger t "
                "JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE t.tgname LIKE 'getihu_audit_%%' AND t.tgenabled <> 'A' "
                "AND c.relnamespace = current_schema()::regnamespace"
            )
            off = [row[0] for row in cursor.fetchall()]
            return sorted(set(_PG_TRIGGERS) - present) + sorted(off)
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return sorted(set(_SQLITE) - {row[0] for row in cursor.fetchall()})


def check_guards(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse to start on a log whose guards were taken away."""
    errors: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if not set(LOG_TABLES) <= set(connection.introspection.table_names()):
            continue  # before the first migration
        errors += [
            Error(f"审计日志的保护 {name} 不在或被关闭", hint="见 docs/reference/audit-log.md",
                  id="getihu.E010", obj=f"数据库 {alias}")
            for name in missing_guards(connection)
        ]  # fmt: skip
    return errors
