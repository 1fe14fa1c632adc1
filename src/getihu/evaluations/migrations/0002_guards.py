"""The database lets only decided cases be rated, and nothing that was said be changed."""

from django.db import migrations

DECIDED = "'granted', 'refused', 'not_accepted'"
ONLY_ADDED = [
    "evaluations_caserated",
    "evaluations_rating",
    "evaluations_followup",
    "evaluations_rectificationlate",
    "evaluations_sealedday",
]
SET_ONCE = ["called_back_at", "called_back_by_id", "ended_at", "ended_by_id"]
TABLE = "evaluations_rectification"
REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"


def sqlite_triggers() -> dict[str, str]:
    changed = " OR ".join(f"(OLD.{c} IS NOT NULL AND NEW.{c} IS NOT OLD.{c})" for c in SET_ONCE)
    triggers = {
        "evaluations_decided_only": f"""
            CREATE TRIGGER evaluations_decided_only BEFORE INSERT ON evaluations_caserated
            WHEN NOT EXISTS (
                SELECT 1 FROM cases_case WHERE id = NEW.case_id AND state IN ({DECIDED}))
            BEGIN SELECT RAISE(ABORT, 'only a decided case is rated'); END""",
        f"{TABLE}_set_once": f"""
            CREATE TRIGGER {TABLE}_set_once BEFORE UPDATE ON {TABLE} WHEN {changed}
            BEGIN SELECT RAISE(ABORT, 'what was noted does not change'); END""",
    }
    for table in ONLY_ADDED:
        triggers[f"{table}_only_added"] = f"""
            CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            BEGIN SELECT RAISE(ABORT, 'this is only added to'); END"""
    return triggers


def postgresql_triggers() -> str:
    changed = " OR ".join(
        f"(OLD.{c} IS NOT NULL AND NEW.{c} IS DISTINCT FROM OLD.{c})" for c in SET_ONCE
    )
    text = f"""
        CREATE FUNCTION evaluations_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was noted does not change' {REFUSED};
        END $$;
        CREATE FUNCTION evaluations_decided_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT 1 FROM cases_case WHERE id = NEW.case_id AND state IN ({DECIDED})) THEN
                RAISE EXCEPTION 'only a decided case is rated' {REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER evaluations_decided_only BEFORE INSERT ON evaluations_caserated
            FOR EACH ROW EXECUTE FUNCTION evaluations_decided_only();
        CREATE TRIGGER {TABLE}_set_once BEFORE UPDATE ON {TABLE}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION evaluations_refuse();
    """
    for table in ONLY_ADDED:
        text += f"""
        CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION evaluations_refuse();"""
    return text


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(postgresql_triggers())
        return
    for statement in sqlite_triggers().values():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION evaluations_refuse() CASCADE;"
            "DROP FUNCTION evaluations_decided_only() CASCADE"
        )
        return
    for name in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0001_initial"), ("cases", "0003_attachments_and_posts")]
    operations = [migrations.RunPython(add, remove)]
