"""The database refuses what the table of moves does not allow, and times that change afterwards."""

from django.db import migrations

from getihu.cases.machine import MOVES

SET_ONCE = {
    "cases_case": ["opened_at", "submitted_at", "accepted_at", "ended_at"],
    "cases_clockrun": ["started_on", "stopped_on", "extended_on"],
    "cases_clockpause": ["since", "until"],
    "cases_materialrequest": ["at", "answered_at"],
    "cases_stagerun": ["opened_at", "ended_at"],
}
ONLY_ADDED = ["cases_casemove", "cases_handover", "cases_escalation"]


def sqlite_triggers() -> dict[str, str]:
    triggers = {
        "cases_starts_as_draft": """
            CREATE TRIGGER cases_starts_as_draft BEFORE INSERT ON cases_case
            WHEN NEW.state <> 'draft'
            BEGIN SELECT RAISE(ABORT, 'a case starts as a draft'); END""",
        "cases_allowed_moves_only": """
            CREATE TRIGGER cases_allowed_moves_only BEFORE UPDATE OF state ON cases_case
            WHEN NEW.state <> OLD.state AND NOT EXISTS (
                SELECT 1 FROM cases_allowed_move
                WHERE "before" = OLD.state AND "after" = NEW.state)
            BEGIN SELECT RAISE(ABORT, 'this move of a case is not allowed'); END""",
    }
    for table, columns in SET_ONCE.items():
        changed = " OR ".join(f"(OLD.{c} IS NOT NULL AND NEW.{c} IS NOT OLD.{c})" for c in columns)
        triggers[f"{table}_set_once"] = f"""
            CREATE TRIGGER {table}_set_once BEFORE UPDATE ON {table} WHEN {changed}
            BEGIN SELECT RAISE(ABORT, 'a time that was noted does not change'); END"""
    for table in ONLY_ADDED:
        triggers[f"{table}_only_added"] = f"""
            CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            BEGIN SELECT RAISE(ABORT, 'this is only added to'); END"""
    return triggers


REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"


def postgresql_triggers() -> str:
    text = f"""
        CREATE FUNCTION cases_guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'draft' THEN
                    RAISE EXCEPTION 'a case starts as a draft' {REFUSED};
                END IF;
            ELSIF NEW.state <> OLD.state AND NOT EXISTS (
                    SELECT 1 FROM cases_allowed_move
                    WHERE "before" = OLD.state AND "after" = NEW.state) THEN
                RAISE EXCEPTION 'this move of a case is not allowed' {REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER cases_guard_state BEFORE INSERT OR UPDATE OF state ON cases_case
            FOR EACH ROW EXECUTE FUNCTION cases_guard_state();
        CREATE FUNCTION cases_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was noted does not change' {REFUSED};
        END $$;
    """
    for table, columns in SET_ONCE.items():
        changed = " OR ".join(
            f"(OLD.{c} IS NOT NULL AND NEW.{c} IS DISTINCT FROM OLD.{c})" for c in columns
        )
        text += f"""
        CREATE TRIGGER {table}_set_once BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION cases_refuse();"""
    for table in ONLY_ADDED:
        text += f"""
        CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION cases_refuse();"""
    return text


def add(apps, schema_editor):
    moves = apps.get_model("cases", "AllowedMove")
    moves.objects.using(schema_editor.connection.alias).bulk_create(
        moves(before=move.before.value, after=move.after.value) for move in MOVES
    )
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(postgresql_triggers())
        return
    for statement in sqlite_triggers().values():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    apps.get_model("cases", "AllowedMove").objects.all().delete()
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION cases_guard_state() CASCADE; DROP FUNCTION cases_refuse() CASCADE"
        )
        return
    for name in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
