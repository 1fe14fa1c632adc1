"""For migrations of other apps: make a table an audited one."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import migrations

from getihu.audit import guards


def audit_table(table: str, *, key: str = "id") -> migrations.RunPython:
    """Return the migration step after which every change of ``table`` writes an audit event.

    On PostgreSQL: one event per row inserted, updated or deleted and one per TRUNCATE, in the same
    transaction, with keyed digests of the old and the new row, the names of changed columns, and
    the actor and reason that ``audit.services.acting`` set; bulk writes and raw SQL included. On
    SQLite it does nothing. The migration depends on ``("audit", "0001_initial")``. ``key`` is the
    column that names a row.
    """
    return migrations.RunPython(
        partial(_install, table=table, key=key), partial(_remove, table=table)
    )


def _install(apps: Any, schema_editor: Any, *, table: str, key: str) -> None:
    guards.install_on(schema_editor.connection, table, key)


def _remove(apps: Any, schema_editor: Any, *, table: str) -> None:
    guards.remove_from(schema_editor.connection, table)


def only_added(table: str) -> migrations.RunPython:
    """Return the migration step after which rows of ``table`` are only added: the database refuses
    every UPDATE, and on PostgreSQL every DELETE of a single row."""
    return migrations.RunPython(
        partial(_guard_rows, table=table), partial(_unguard_rows, table=table)
    )


def _guard_rows(apps: Any, schema_editor: Any, *, table: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.execute(
            f"CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'this is only added to'); END"
        )
        return
    schema_editor.execute(f"""
        CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'this is only added to'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_refuse()""")


def _unguard_rows(apps: Any, schema_editor: Any, *, table: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION {table}_refuse() CASCADE")
    else:
        schema_editor.execute(f"DROP TRIGGER {table}_only_added")


def held_fast(
    table: str, *, fixed: Sequence[str], once: Sequence[str] = ()
) -> migrations.RunPython:
    """Return the migration step after which the database refuses to change columns ``fixed`` of a
    row, and columns ``once`` of a row once they are set; on PostgreSQL, and on SQLite the same."""
    return migrations.RunPython(
        partial(_hold, table=table, fixed=tuple(fixed), once=tuple(once)),
        partial(_let_go, table=table),
    )


def _hold(
    apps: Any, schema_editor: Any, *, table: str, fixed: tuple[str, ...], once: tuple[str, ...]
) -> None:
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    differs = "IS DISTINCT FROM" if is_postgresql else "IS NOT"
    changed = " OR ".join(
        [
            *(f'NEW."{c}" {differs} OLD."{c}"' for c in fixed),
            *(f'(OLD."{c}" IS NOT NULL AND NEW."{c}" {differs} OLD."{c}")' for c in once),
        ]
    )
    if not is_postgresql:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_held_fast BEFORE UPDATE ON {table} WHEN {changed} "
            "BEGIN SELECT RAISE(ABORT, 'what was noted does not change'); END"
        )
        return
    schema_editor.execute(f"""
        CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was noted does not change'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
        CREATE TRIGGER {table}_held_fast BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {table}_keep()""")


def _let_go(apps: Any, schema_editor: Any, *, table: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION {table}_keep() CASCADE")
    else:
        schema_editor.execute(f"DROP TRIGGER {table}_held_fast")
