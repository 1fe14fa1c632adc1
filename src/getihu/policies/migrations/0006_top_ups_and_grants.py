"""Awards of corrections and of applications, and subjects under several codes.

SQLite makes the award's table anew when its constraint changes, and drops its triggers with the
old one: they are put back at the end, with two more.
"""

import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from getihu.audit.migrations_support import audit_table

guards = importlib.import_module("getihu.policies.migrations.0002_guards")

AUDITED = [
    "policies_awardrun",
    "policies_matchconsent",
    "policies_policydraft",
    "policies_push",
    "policies_pushrun",
]
FIXED = {
    "policies_award": [*guards.FIXED["policies_award"], "adjustment_id", "case_id"],
    "policies_push": [
        "rule_id",
        "rule_version",
        "trader_code",
        "kind",
        "quarter",
        "snapshot_id",
        "pushed_at",
    ],
    "policies_matchconsent": ["trader_code", "article", "by_id", "since"],
}
AGAIN = ("policies_award_starts", "policies_allowed_moves_only")
# A published text is the record; a draft's author never changes.
DRAFT_CHANGED = " OR ".join(
    f"NEW.{column} {{differs}} OLD.{column}" for column in ("text", "cases_text", "published_by_id")
)
TOO_MUCH = """
    NEW.adjustment_id IS NOT NULL AND NEW.cents > COALESCE((
        SELECT made.should_cents - base.cents - COALESCE((
            SELECT SUM(other.cents) FROM policies_award other
            JOIN policies_adjustment earlier ON earlier.id = other.adjustment_id
            WHERE earlier.award_id = base.id AND other.state NOT IN ('declined', 'ended')), 0)
        FROM policies_adjustment made JOIN policies_award base ON base.id = made.award_id
        WHERE made.id = NEW.adjustment_id AND made.decided_by_id IS NOT NULL
            AND base.family = NEW.family AND base.subject = NEW.subject
            AND base.period = NEW.period), 0)"""
TWO_CODES = """
    NEW.adjustment_id IS NULL AND (
        EXISTS (SELECT 1 FROM policies_subjectalias later WHERE later.trader_code = NEW.subject)
        OR EXISTS (
            SELECT 1 FROM policies_subjectalias later
            JOIN policies_award other ON other.subject = later.trader_code
            WHERE later.subject = NEW.subject AND other.family = NEW.family
                AND other.period = NEW.period AND other.adjustment_id IS NULL))"""
MORE_THAN_LACKING = "a top-up is at most what its correction shows is lacking"
ONE_SUBJECT = "one subject has one award, under whichever code"


def sqlite_triggers() -> dict[str, str]:
    before = guards.sqlite_triggers()
    triggers = {name: before[name] for name in AGAIN}
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in columns)
        triggers[f"{table}_fixed"] = f"""
            CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table} WHEN {changed}
            BEGIN SELECT RAISE(ABORT, 'what was decided does not change'); END"""
    for name, when, text in (
        ("policies_top_up_fits", TOO_MUCH, MORE_THAN_LACKING),
        ("policies_one_subject", TWO_CODES, ONE_SUBJECT),
    ):
        triggers[name] = f"""
            CREATE TRIGGER {name} BEFORE INSERT ON policies_award WHEN {when}
            BEGIN SELECT RAISE(ABORT, '{text}'); END"""
    triggers["policies_published_fixed"] = f"""
        CREATE TRIGGER policies_published_fixed BEFORE UPDATE ON policies_policydraft
        WHEN OLD.published_at IS NOT NULL AND ({DRAFT_CHANGED.format(differs="IS NOT")})
        BEGIN SELECT RAISE(ABORT, 'a published text does not change'); END"""
    return triggers


def postgresql_triggers() -> str:
    text = "DROP TRIGGER policies_award_fixed ON policies_award;"
    for table, columns in FIXED.items():
        changed = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in columns)
        text += f"""
        CREATE TRIGGER {table}_fixed BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION policies_refuse();"""
    return f"""{text}
        CREATE TRIGGER policies_published_fixed BEFORE UPDATE ON policies_policydraft
            FOR EACH ROW WHEN (OLD.published_at IS NOT NULL
                AND ({DRAFT_CHANGED.format(differs="IS DISTINCT FROM")}))
            EXECUTE FUNCTION policies_refuse();
        CREATE FUNCTION policies_check_award() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {TOO_MUCH} THEN
                RAISE EXCEPTION '{MORE_THAN_LACKING}' {guards.REFUSED};
            END IF;
            IF {TWO_CODES} THEN
                RAISE EXCEPTION '{ONE_SUBJECT}' {guards.REFUSED};
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER policies_check_award BEFORE INSERT ON policies_award
            FOR EACH ROW EXECUTE FUNCTION policies_check_award();
    """


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(postgresql_triggers())
        return
    for name, statement in sqlite_triggers().items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("""
            DROP FUNCTION policies_check_award() CASCADE;
            DROP TRIGGER policies_published_fixed ON policies_policydraft;
            DROP TRIGGER policies_push_fixed ON policies_push;
            DROP TRIGGER policies_matchconsent_fixed ON policies_matchconsent;
        """)
        return
    ours = set(sqlite_triggers()) - set(guards.sqlite_triggers())
    for name in sorted(ours):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0005_second_wall"),
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("awardrun", "by_application", models.BooleanField(default=False)),
        migrations.AddField(
            "awardrun", "corrected_snapshot", models.CharField(blank=True, max_length=40)
        ),
        migrations.AddConstraint(
            "awardrun",
            models.UniqueConstraint(
                fields=["programme_id", "period", "rule_version", "as_of", "snapshot_id"],
                condition=Q(by_application=True),
                name="policies_one_run_of_grants",
            ),
        ),
        migrations.AddField("award", "case_id", models.UUIDField(null=True)),
        migrations.AddField(
            "award",
            "adjustment",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="top_ups",
                to="policies.adjustment",
            ),
        ),
        migrations.RemoveConstraint("award", "policies_one_award"),
        migrations.AddConstraint(
            "award",
            models.UniqueConstraint(
                fields=["family", "subject", "period"],
                condition=Q(adjustment=None),
                name="policies_one_award",
            ),
        ),
        migrations.AddConstraint(
            "award",
            models.UniqueConstraint(
                fields=["adjustment"],
                condition=Q(adjustment__isnull=False),
                name="policies_one_top_up",
            ),
        ),
        migrations.AddConstraint(
            "award",
            models.UniqueConstraint(
                fields=["case_id"],
                condition=Q(case_id__isnull=False),
                name="policies_one_award_of_a_case",
            ),
        ),
        migrations.AddField(
            "subjectalias", "evidence", models.CharField(blank=True, max_length=300)
        ),
        migrations.AddField("subjectalias", "at", models.DateTimeField(null=True)),
        migrations.AddField(
            "subjectalias",
            "by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(add, remove),
        *map(audit_table, AUDITED),
    ]
