"""The past of pools and types does not change: the database itself refuses.

On PostgreSQL rows are not deleted either; on SQLite, where emptying a demo city deletes row by
row, that part is left out, as in the other apps.
"""

from django.db import migrations

from getihu.audit.migrations_support import audit_table

BELIEF = [
    "pool_id",
    "level",
    "trader_code",
    "county_code",
    "valid_from",
    "valid_until",
    "known_from",
    "why",
    "ground",
    "run_id",
    "by_id",
]
FIXED = {
    "growth_type_review": [
        "as_of",
        "snapshot_id",
        "rule_version",
        "settling_version",
        "previous_id",
        "proposed_sha256",
        "traders_count",
        "moved_count",
        "reviewed_at",
        "object_until",
    ],
    "growth_type_move": ["review_id", "trader_code", "county_code", "before", "after"],
    "growth_exit": [
        "pool_id",
        "level",
        "trader_code",
        "county_code",
        "run_id",
        "takes_away",
        "told_at",
        "object_until",
    ],
    "growth_refresh": [
        "pool_id",
        "county_code",
        "year",
        "as_of",
        "run_id",
        "members_count",
        "added_count",
        "removed_count",
        "list_sha256",
        "listed_at",
        "listed_by_id",
    ],
    "growth_recommendation": [
        "window_id",
        "trader_code",
        "kind",
        "department",
        "reason",
        "by_id",
        "at",
    ],
    "growth_jury": ["case_id", "kind", "opened_at", "opened_by_id"],
}
# What ended does not begin again: table, condition on the old row that no change may meet.
ENDED = {
    "growth_type_review": "OLD.state = 'published'",
    "growth_type_move": "OLD.state IN ('published', 'dropped', 'lapsed')",
    "growth_exit": "OLD.state IN ('done', 'dropped')",
    "growth_refresh": "OLD.state IN ('concluded', 'cancelled')",
    "growth_juror": "OLD.scored_at IS NOT NULL",
    "growth_recommendation": "OLD.case_id IS NOT NULL",
}
KEPT = ["growth_type_review", "growth_type_move", "growth_refresh", "growth_exit", "growth_juror"]
AUDITED = ["growth_type_review", "growth_refresh", "growth_exit", "growth_pool_places",
           "growth_recommendation", "growth_juror"]  # fmt: skip
# A belief about a county's pool cannot be dated before a list of it that is published already.
BACKDATED = """EXISTS (SELECT 1 FROM growth_refresh r WHERE r.pool_id = NEW.pool_id
    AND r.county_code = NEW.county_code AND r.state IN ('open', 'concluded')
    AND NEW.known_from < r.listed_at)"""
OVERLAPS = """EXISTS (SELECT 1 FROM growth_membership m WHERE m.trader_code = NEW.trader_code
    AND m.pool_id = NEW.pool_id AND m.level = NEW.level AND m.known_until IS NULL
    AND (m.valid_until IS NULL OR m.valid_until > NEW.valid_from)
    AND (NEW.valid_until IS NULL OR NEW.valid_until > m.valid_from))"""


def sqlite_triggers() -> dict[str, str]:
    same = " AND ".join(f"NEW.{c} IS OLD.{c}" for c in BELIEF)
    triggers = {
        "growth_belief_fixed": f"""
            CREATE TRIGGER growth_belief_fixed BEFORE UPDATE ON growth_membership
            WHEN NOT (OLD.known_until IS NULL AND NEW.known_until IS NOT NULL AND {same})
            BEGIN SELECT RAISE(ABORT, 'what was known does not change'); END""",
        "growth_belief_not_backdated": f"""
            CREATE TRIGGER growth_belief_not_backdated BEFORE INSERT ON growth_membership
            WHEN {BACKDATED}
            BEGIN SELECT RAISE(ABORT, 'a list of this time is published'); END""",
        "growth_belief_no_overlap": f"""
            CREATE TRIGGER growth_belief_no_overlap BEFORE INSERT ON growth_membership
            WHEN NEW.known_until IS NULL AND {OVERLAPS}
            BEGIN SELECT RAISE(ABORT, 'in the pool already'); END""",
    }
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in columns)
        triggers[f"{table}_fixed"] = f"""
            CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} WHEN {changed}
            BEGIN SELECT RAISE(ABORT, 'what was decided does not change'); END"""
    for table, ended in ENDED.items():
        triggers[f"{table}_ended"] = f"""
            CREATE TRIGGER {table}_ended BEFORE UPDATE ON {table} WHEN {ended}
            BEGIN SELECT RAISE(ABORT, 'what ended does not change'); END"""
    return triggers


REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"


def postgresql_triggers() -> str:
    same = " AND ".join(f"NEW.{c} IS NOT DISTINCT FROM OLD.{c}" for c in BELIEF)
    text = f"""
        CREATE FUNCTION growth_guard_belief() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.known_until IS NULL AND NEW.known_until IS NOT NULL AND {same} THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'what was known does not change' {REFUSED};
            ELSIF {BACKDATED} THEN
                RAISE EXCEPTION 'a list of this time is published' {REFUSED};
            ELSIF NEW.known_until IS NULL AND {OVERLAPS} THEN
                RAISE EXCEPTION 'in the pool already' {REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER growth_guard_belief BEFORE INSERT OR UPDATE ON growth_membership
            FOR EACH ROW EXECUTE FUNCTION growth_guard_belief();
        CREATE FUNCTION growth_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was decided does not change' {REFUSED};
        END $$;
        CREATE TRIGGER growth_belief_kept BEFORE DELETE ON growth_membership
            FOR EACH ROW EXECUTE FUNCTION growth_refuse();
    """
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in columns)
        text += f"""
        CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION growth_refuse();"""
    for table, ended in ENDED.items():
        text += f"""
        CREATE TRIGGER {table}_ended BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({ended}) EXECUTE FUNCTION growth_refuse();"""
    for table in KEPT:
        text += f"""
        CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION growth_refuse();"""
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
            "DROP FUNCTION growth_guard_belief() CASCADE; DROP FUNCTION growth_refuse() CASCADE"
        )
        return
    for name in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("growth", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        migrations.RunPython(add, remove),
        *(audit_table(table) for table in AUDITED),
        audit_table("growth_jury", key="case_id"),
    ]
