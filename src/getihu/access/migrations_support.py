"""For migrations of other apps: put a table behind the second wall."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import migrations

HERS = "getihu_is_hers(trader_code)"


def reached(roles: Iterable[str], division: str, agency: str = "NULL::text") -> str:
    """SQL: whether one of the actor's roles reaches a place, at an agency (default: at any).
    ``division`` and ``agency`` are SQL: columns, or texts in quotes."""
    named = ", ".join(f"'{role}'" for role in sorted(roles))
    return f"getihu_reaches(ARRAY[{named}], {agency}, {division})"


def belongs_to(parent: str, column: str, key: str = "id") -> str:
    """SQL: whether the row of ``parent`` that ``column`` names can be seen itself."""
    return f"EXISTS (SELECT 1 FROM {parent} p WHERE p.{key} = {column})"


def wall(table: str, seen_by: str) -> migrations.RunPython:
    """Return the migration step after which, on PostgreSQL, a request sees and changes only rows of
    ``table`` for which ``seen_by`` (SQL over its columns) holds; rows are added by everybody.

    On SQLite it does nothing. The migration depends on ``("access", "0001_wall")``.
    """
    return migrations.RunPython(
        partial(_raise, table=table, seen_by=seen_by), partial(_lower, table=table)
    )


def _raise(apps: Any, schema_editor: Any, *, table: str, seen_by: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    schema_editor.execute(
        f"CREATE POLICY {table}_wall ON {table}"
        f" USING (NOT getihu_walled() OR ({seen_by})) WITH CHECK (true)"
    )


def _lower(apps: Any, schema_editor: Any, *, table: str) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(f"DROP POLICY {table}_wall ON {table}")
    schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
