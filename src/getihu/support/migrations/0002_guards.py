"""The database refuses what the table of moves does not allow, words and times that change
afterwards, and a closing without her confirmation or the end of the term."""

from django.db import migrations

from getihu.support.machine import MOVES

APPEAL, CLOCK = "support_appeal", "support_appeal_clock"
NEVER = {
    APPEAL: [
        "number", "channel", "origin", "text", "place_text", "trader_code", "is_anonymous",
        "complainant_id", "code_digest", "received_at", "continues_id", "barred",
        "about_account_id",
    ],
    CLOCK: ["appeal_id", "step", "term_id", "started_on"],
}  # fmt: skip
SET_ONCE = {
    APPEAL: ["answered_at", "answered_by_id", "ended_at", "joined_to_id", "ticket_id"],
    CLOCK: ["extended_on", "stopped_on"],
}
ONLY_ADDED = ["support_appeal_event", "support_escalation"]
# A due day moves by the one extension, or while the calendar it rests on is provisional.
DUE_MOVED = "({0}) AND NOT (OLD.extended_on IS NULL AND NEW.extended_on IS NOT NULL) AND NOT {1}"
TOO_EARLY = """NEW.outcome = 'timed_out' AND NOT EXISTS (
    SELECT 1 FROM support_appeal_clock c
    WHERE c.appeal_id = NEW.id AND c.step = 'confirm' AND c.due_on < {0})"""
REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"


def sqlite_triggers() -> dict[str, str]:
    early = TOO_EARLY.format("date(NEW.ended_at, '+8 hours')")
    moved = DUE_MOVED.format("NEW.due_on IS NOT OLD.due_on", "OLD.is_provisional")
    triggers = {
        "support_starts_received": f"""
            CREATE TRIGGER support_starts_received BEFORE INSERT ON {APPEAL}
            WHEN NEW.state <> 'received'
            BEGIN SELECT RAISE(ABORT, 'an appeal starts as received'); END""",
        "support_allowed_moves_only": f"""
            CREATE TRIGGER support_allowed_moves_only BEFORE UPDATE OF state ON {APPEAL}
            WHEN NEW.state <> OLD.state AND NOT EXISTS (
                SELECT 1 FROM support_allowed_move
                WHERE "before" = OLD.state AND "after" = NEW.state)
            BEGIN SELECT RAISE(ABORT, 'this move of an appeal is not allowed'); END""",
        "support_no_silent_closing": f"""
            CREATE TRIGGER support_no_silent_closing BEFORE UPDATE OF state ON {APPEAL}
            WHEN NEW.state = 'closed' AND OLD.state <> 'closed' AND {early}
            BEGIN SELECT RAISE(ABORT, 'closed before its time'); END""",
        "support_due_stays": f"""
            CREATE TRIGGER support_due_stays BEFORE UPDATE ON {CLOCK} WHEN {moved}
            BEGIN SELECT RAISE(ABORT, 'a due day moves by an extension alone'); END""",
    }
    for table in NEVER:
        parts = [f"NEW.{c} IS NOT OLD.{c}" for c in NEVER[table]]
        parts += [f"(OLD.{c} IS NOT NULL AND NEW.{c} IS NOT OLD.{c})" for c in SET_ONCE[table]]
        triggers[f"{table}_stays"] = f"""
            CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} WHEN {" OR ".join(parts)}
            BEGIN SELECT RAISE(ABORT, 'what was noted does not change'); END"""
    for table in ONLY_ADDED:
        triggers[f"{table}_only_added"] = f"""
            CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            BEGIN SELECT RAISE(ABORT, 'this is only added to'); END"""
    return triggers


def postgresql_triggers() -> str:
    early = TOO_EARLY.format("(NEW.ended_at AT TIME ZONE 'Asia/Shanghai')::date")
    moved = DUE_MOVED.format("NEW.due_on IS DISTINCT FROM OLD.due_on", "OLD.is_provisional")
    text = f"""
        CREATE FUNCTION support_guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'received' THEN
                    RAISE EXCEPTION 'an appeal starts as received' {REFUSED};
                END IF;
                RETURN NEW;
            END IF;
            IF NEW.state <> OLD.state AND NOT EXISTS (
                    SELECT 1 FROM support_allowed_move
                    WHERE "before" = OLD.state AND "after" = NEW.state) THEN
                RAISE EXCEPTION 'this move of an appeal is not allowed' {REFUSED};
            END IF;
            IF NEW.state = 'closed' AND OLD.state <> 'closed' AND {early} THEN
                RAISE EXCEPTION 'closed before its time' {REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER support_guard_state BEFORE INSERT OR UPDATE OF state ON {APPEAL}
            FOR EACH ROW EXECUTE FUNCTION support_guard_state();
        CREATE FUNCTION support_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what was noted does not change' {REFUSED};
        END $$;
        CREATE TRIGGER support_due_stays BEFORE UPDATE ON {CLOCK}
            FOR EACH ROW WHEN ({moved}) EXECUTE FUNCTION support_refuse();
    """
    for table in NEVER:
        parts = [f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in NEVER[table]]
        parts += [
            f"(OLD.{c} IS NOT NULL AND NEW.{c} IS DISTINCT FROM OLD.{c})" for c in SET_ONCE[table]
        ]
        text += f"""
        CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({" OR ".join(parts)}) EXECUTE FUNCTION support_refuse();"""
    for table in ONLY_ADDED:
        text += f"""
        CREATE TRIGGER {table}_only_added BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION support_refuse();"""
    return text


def add(apps, schema_editor):
    moves = apps.get_model("support", "AllowedMove")
    moves.objects.using(schema_editor.connection.alias).bulk_create(
        moves(before=move.before.value, after=move.after.value) for move in MOVES
    )
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(postgresql_triggers())
        return
    for statement in sqlite_triggers().values():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    apps.get_model("support", "AllowedMove").objects.all().delete()
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "DROP FUNCTION support_guard_state() CASCADE; DROP FUNCTION support_refuse() CASCADE"
        )
        return
    for name in sqlite_triggers():
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("support", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
