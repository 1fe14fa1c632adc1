"""What the tables of the window alone cannot hold: places within a slot, one owner at every time."""

from django.db import migrations

from getihu.audit.migrations_support import audit_table, only_added

REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"
FITS = """
    NEW.state <> 'booked' OR EXISTS (
        SELECT 1 FROM entry_windowslot s
        WHERE s.id = NEW.slot_id AND NEW.place <= s.capacity
          AND s.starts_at = NEW.starts_at AND s.office_id = NEW.office_id
          AND NOT EXISTS (
            SELECT 1 FROM entry_closure c WHERE c.office_id = s.office_id AND c."on" = NEW."on"))
"""
TAKEN = """
    OLD.owner_id IS NULL OR NEW.owner_id = OLD.owner_id OR EXISTS (
        SELECT 1 FROM entry_handingover h
        WHERE h.visit_id = OLD.id AND h.from_owner_id = OLD.owner_id
          AND h.to_owner_id = NEW.owner_id AND h.taken_at IS NOT NULL)
"""
# name: (table, when, condition that must hold, what is said)
GUARDS = {
    "entry_appointment_fits_new": ("entry_appointment", "INSERT", FITS, "no such place"),
    "entry_appointment_fits": ("entry_appointment", "UPDATE", FITS, "no such place"),
    "entry_appointment_final": (
        "entry_appointment", "UPDATE", "OLD.state = 'booked'", "an ended appointment stays",
    ),
    "entry_visit_owner": (
        "entry_visit", "UPDATE", TAKEN, "an owner changes by a hand-over that was taken",
    ),
    "entry_visit_final": ("entry_visit", "UPDATE", "OLD.ended_at IS NULL", "an ended visit stays"),
    "entry_handingover_final": (
        "entry_handingover", "UPDATE",
        "OLD.taken_at IS NULL AND OLD.declined_at IS NULL", "taken or declined once",
    ),
}  # fmt: skip


def add(apps, schema_editor):
    for name, (table, event, holds, said) in GUARDS.items():
        # A condition that is unknown (NULL) does not hold.
        broken = f"NOT coalesce(({holds}), false)"
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {broken} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
            continue
        schema_editor.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {broken} THEN
                    RAISE EXCEPTION '{said}' {REFUSED};
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER {name} BEFORE {event} ON {table}
                FOR EACH ROW EXECUTE FUNCTION {name}()""")


def remove(apps, schema_editor):
    for name in GUARDS:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {name}() CASCADE")
        else:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("entry", "0003_window"), ("audit", "0001_initial")]
    operations = [
        migrations.RunPython(add, remove),
        only_added("entry_closure"),
        only_added("entry_visitcase"),
        audit_table("entry_appointment"),
        audit_table("entry_visit"),
        audit_table("entry_handingover"),
    ]
