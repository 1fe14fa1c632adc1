"""The database refuses moves the table does not allow, and changes of what was noted."""

from django.db import migrations

from getihu.audit.migrations_support import audit_table
from getihu.policies.machine import FIRST, MOVES

FIXED = {
    "policies_award": [
        "family",
        "subject",
        "period",
        "trader_code",
        "run_id",
        "budget_id",
        "position",
        "cents",
        "slip",
        "slip_sha256",
        "entitled_at",
    ],
    "policies_order": ["award_id", "payee_account_id", "attempt", "cents"],
    "policies_batch": ["run_id", "prepared_by_id", "count", "cents", "prepared_at"],
    "policies_payeeaccount": ["trader_code", "sealed", "consented_at"],
}
ONLY_ADDED = [
    "policies_awardmove",
    "policies_ledgerentry",
    "policies_reviewanswer",
    "policies_samplecheck",
    "policies_statement",
]
AUDITED = [
    "policies_budget",
    "policies_batch",
    "policies_order",
    "policies_payeeaccount",
    "policies_adjustment",
    "policies_instalment",
    "policies_subjectalias",
]
STARTS = ", ".join(f"'{state.value}'" for state in sorted(FIRST))


def sqlite_triggers() -> dict[str, str]:
    triggers = {
        "policies_award_starts": f"""
            CREATE TRIGGER policies_award_starts BEFORE INSERT ON policies_award
            WHEN NEW.state NOT IN ({STARTS})
            BEGIN SELECT RAISE(ABORT, 'an award starts as waiting or entitled'); END""",
        "policies_allowed_moves_only": """
            CREATE TRIGGER policies_allowed_moves_only BEFORE UPDATE OF state ON policies_award
            WHEN NEW.state <> OLD.state AND NOT EXISTS (
                SELECT 1 FROM policies_allowed_move
                WHERE "before" = OLD.state AND "after" = NEW.state)
            BEGIN SELECT RAISE(ABORT, 'this move of an award is not allowed'); END""",
    }
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in columns)
        triggers[f"{table}_fixed"] = f"""
            CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} WHEN {changed}
            BEGIN SELECT RAISE(ABORT, 'what was decided does not change'); END"""
    for table in ONLY_ADDED:
        triggers[f"{table}_only_added"] = f"""
            CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            BEGIN SELECT RAISE(ABORT, 'this is only added to'); END"""
    return triggers


REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"


def postgresql_triggers() -> str:
    text = f"""
        CREATE FUNCTION policies_guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state NOT IN ({STARTS}) THEN
                    RAISE EXCEPTION 'an award starts as waiting or entitled' {REFUSED};
                END IF;
            ELSIF NEW.state <> OLD.state AND NOT EXISTS (
                    SELECT 1 FROM policies_allowed_move
                    WHERE "before" = OLD.state AND "after" = NEW.state) THEN
                RAISE EXCEPTION 'this move of an award is not allowed' {REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER policies_guard_state BEFORE INSERT OR UPDATE OF state ON policies_award
            FOR EACH ROW EXECUTE FUNCTION policies_guard_state();
        CREATE FUNCTION policies_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was decided does not change' {REFUSED};
        END $$;
    """
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in columns)
        text += f"""
        CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION policies_refuse();"""
    for table in ONLY_ADDED:
        text += f"""
        CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION policies_refuse();"""
    return text


def add(apps, schema_editor):
    moves = apps.get_model("policies", "AllowedMove")
    pairs = sorted({(move.before.value, move.after.value) for move in MOVES})
    moves.objects.using(schema_editor.connection.alias).bulk_create(
        moves(before=before, after=after) for before, after in pairs
    )
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(postgresql_triggers())
        return
    for statement in sqlite_triggers().values():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    apps.get_model("policies", "AllowedMove").objects.all().delete()
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION policies_guard_state() CASCADE; DROP FUNCTION policies_refuse() CASCADE"
        )
        return
    for name in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(add, remove), *map(audit_table, AUDITED)]
