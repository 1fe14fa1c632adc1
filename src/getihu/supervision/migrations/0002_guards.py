"""A plan goes one way; what is fixed stays fixed; a draw is drawn once. The database refuses."""

from django.db import migrations

from getihu.access.migrations_support import HERS, reached, wall
from getihu.audit.migrations_support import audit_table, held_fast

ROLES = ("case_officer", "supervisor")
FIXED = [
    "number",
    "agency",
    "county_code",
    "field_id",
    "year",
    "made_at",
    "made_by_id",
]
ONCE = [
    "commitment",
    "commitment_sha256",
    "committed_at",
    "committed_by_id",
    "chance_kind",
    "chance_digits",
    "seed",
    "seeded_at",
    "seeded_by_id",
    "witness_id",
    "result_sha256",
    "drawn_count",
    "drawn_at",
    "published_at",
]
STEPS = (
    ("draft", "draft"),
    ("draft", "committed"),
    ("draft", "cancelled"),
    ("committed", "seeded"),
    ("committed", "cancelled"),
    ("seeded", "drawn"),
    ("drawn", "published"),
)
ALLOWED = " OR ".join(f"(OLD.state = '{a}' AND NEW.state = '{b}')" for a, b in STEPS)
# What a commitment rests on may be written in a draft alone.
DRAFTED = ("title", "team", "window_from", "window_until")


def refuse_other_steps(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        late = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in (*DRAFTED, "rates", "recipe"))
        schema_editor.execute(
            "CREATE TRIGGER supervision_plan_steps BEFORE UPDATE ON supervision_plan "
            f"WHEN NOT ({ALLOWED}) OR (OLD.state <> 'draft' AND ({late})) "
            "BEGIN SELECT RAISE(ABORT, 'a draw goes one way'); END"
        )
        schema_editor.execute(
            "CREATE TRIGGER supervision_plan_begins BEFORE INSERT ON supervision_plan "
            "WHEN NEW.state <> 'draft' BEGIN SELECT RAISE(ABORT, 'a plan begins as a draft'); END"
        )
        return
    late = " OR ".join(
        [
            *(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in DRAFTED),
            "NEW.rates::text IS DISTINCT FROM OLD.rates::text",
            "NEW.recipe::text IS DISTINCT FROM OLD.recipe::text",
        ]
    )
    schema_editor.execute(f"""
        CREATE FUNCTION supervision_plan_go() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                RAISE EXCEPTION 'a plan is not deleted'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'draft' THEN
                    RAISE EXCEPTION 'a plan begins as a draft'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            ELSIF NOT ({ALLOWED}) OR (OLD.state <> 'draft' AND ({late})) THEN
                RAISE EXCEPTION 'a draw goes one way'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER supervision_plan_steps BEFORE INSERT OR UPDATE OR DELETE ON supervision_plan
            FOR EACH ROW EXECUTE FUNCTION supervision_plan_go()""")


def allow_other_steps(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.execute("DROP TRIGGER supervision_plan_steps")
        schema_editor.execute("DROP TRIGGER supervision_plan_begins")
    else:
        schema_editor.execute("DROP FUNCTION supervision_plan_go() CASCADE")


class Migration(migrations.Migration):
    dependencies = [
        ("supervision", "0001_initial"),
        ("audit", "0001_initial"),
        ("access", "0001_wall"),
    ]
    operations = [
        migrations.RunPython(refuse_other_steps, allow_other_steps),
        held_fast("supervision_plan", fixed=FIXED, once=ONCE),
        held_fast(
            "supervision_visit",
            fixed=[
                "trader_code",
                "agency",
                "kind",
                "plan_id",
                "basis",
                "cause",
                "year",
                "code",
                "made_at",
            ],
            once=["done_on", "done_by_id", "publish_by"],
        ),
        audit_table("supervision_plan"),
        audit_table("supervision_visit"),
        audit_table("supervision_inspector"),
        audit_table("supervision_conflict"),
        wall("supervision_visit", f"{HERS} OR {reached(ROLES, 'place')}"),
        wall("supervision_conflict", "false"),
    ]
