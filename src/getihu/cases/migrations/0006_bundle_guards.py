"""The database keeps what was noted of bundles, and on PostgreSQL holds back those outside the reach
of whoever a request is of. Parts stay readable, as stages do: they name departments and divisions."""

from importlib import import_module

from django.db import migrations

from getihu.audit.migrations_support import only_added

guards = import_module("getihu.cases.migrations.0002_guards")
wall = import_module("getihu.cases.migrations.0004_second_wall")

SET_ONCE = {
    "cases_bundlerun": ["opened_at", "submitted_at", "discarded_at", "bundle_id", "definition_id"],
    "cases_bundlepart": ["withdrawn_at", "part_id", "department", "division"],
    "cases_bundlefile": ["at", "removed_at"],
    "cases_contestedvalue": ["held", "claimed", "at", "answer", "answered_at"],
}
# SQLite makes a table anew to change it, and its triggers go with the old one.
MADE_ANEW = {"cases_materialrequest": guards.SET_ONCE["cases_materialrequest"]}


def _changed(columns, is_distinct):
    return " OR ".join(
        f"(OLD.{c} IS NOT NULL AND OLD.{c} <> '' AND NEW.{c} {is_distinct} OLD.{c})"
        if c == "answer"
        else f"(OLD.{c} IS NOT NULL AND NEW.{c} {is_distinct} OLD.{c})"
        for c in columns
    )


def _on_sqlite():
    for table, columns in (SET_ONCE | MADE_ANEW).items():
        yield f"DROP TRIGGER IF EXISTS {table}_set_once"
        yield f"""CREATE TRIGGER {table}_set_once BEFORE UPDATE ON {table}
            WHEN {_changed(columns, "IS NOT")}
            BEGIN SELECT RAISE(ABORT, 'what was noted does not change'); END"""


def _on_postgresql():
    for table, columns in SET_ONCE.items():
        yield f"""CREATE TRIGGER {table}_set_once BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN ({_changed(columns, "IS DISTINCT FROM")}) EXECUTE FUNCTION cases_refuse()"""
    for table, reached in _walls().items():
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        yield f"""CREATE POLICY {table}_wall ON {table} USING (
            NOT getihu_wall_is_up() OR {reached}) WITH CHECK (true)"""


def _walls():
    of_part = wall.reached("p.department", "p.division")
    own = "trader_code = ANY (getihu_wall_list('getihu.traders'))"
    return {
        "cases_bundlerun": f"""{own} OR (submitted_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM cases_bundlepart p WHERE p.run_id = cases_bundlerun.id AND {of_part}))""",
        "cases_bundlefile": "EXISTS (SELECT 1 FROM cases_bundlerun r WHERE r.id = run_id)",
        "cases_contestedvalue": f"""{own} OR {wall.reached("department", "division")}
            OR EXISTS (SELECT 1 FROM cases_case c WHERE c.id = case_id)""",
    }


def add(apps, schema_editor):
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _on_postgresql() if on_postgresql else _on_sqlite():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for table in SET_ONCE:
        on = f" ON {table}" if on_postgresql else ""
        schema_editor.execute(f"DROP TRIGGER {table}_set_once{on}")
    if on_postgresql:
        for table in _walls():
            schema_editor.execute(f"DROP POLICY {table}_wall ON {table}")
            schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_bundles")]
    operations = [migrations.RunPython(add, remove), only_added("cases_definition")]
