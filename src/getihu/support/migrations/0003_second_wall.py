"""On PostgreSQL the database holds back appeals of other offices, and from an office what is
complained of it or its line, whoever has the appeal."""

from django.db import migrations

from getihu.access.migrations_support import HERS, belongs_to, reached, wall

OFFICERS = ("window_officer", "case_officer", "supervisor")
# The lines of whoever a request is of, against the offices an appeal is kept from: below or at the
# reach of a grant, or above it (the division a grant lies in).
IN_LINE = """
    CREATE FUNCTION support_in_line(barred text) RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT barred <> '' AND EXISTS (
            SELECT 1
            FROM unnest(nullif(current_setting('getihu.reach', true), '')::text[]) AS held(pattern),
                LATERAL (SELECT split_part(pattern, ':', 2) AS agency,
                    rtrim(split_part(pattern, ':', 3), '%') AS division) AS grant_
            WHERE barred LIKE '% ' || agency || ':' || division || '%'
                OR barred LIKE '% ' || agency || ':' || left(division, 6) || ' %'
                OR barred LIKE '% ' || agency || ':' || left(division, 4) || '00 %'
        ) $$
"""
JOINT = f"""EXISTS (SELECT 1 FROM support_joint_handler j WHERE j.appeal_id = support_appeal.id
    AND {reached(OFFICERS, "j.division", "j.agency")})"""
LEAD = f"""({reached(("supervisor",), "'330300'", "'amr'")}
    OR {reached(("cockpit_viewer",), "'330300'")})"""
SEEN_BY = f"""NOT support_in_line(barred)
    AND (about_account_id IS NULL OR NOT getihu_is_account(about_account_id))
    AND (getihu_is_account(complainant_id) OR (trader_code <> '' AND {HERS})
        OR {reached(OFFICERS, "division", "agency")} OR getihu_is_account(owner_id)
        OR {JOINT} OR {LEAD})"""
OF_AN_APPEAL = belongs_to("support_appeal", "appeal_id")
WALLS = [
    ("support_appeal", SEEN_BY),
    ("support_appeal_contact", OF_AN_APPEAL),
    ("support_appeal_event", OF_AN_APPEAL),
    ("support_appeal_clock", OF_AN_APPEAL),
    ("support_escalation", belongs_to("support_appeal_clock", "clock_id")),
]


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # A per cent sign is itself where nothing is put in.
        schema_editor.execute(IN_LINE, params=None)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION support_in_line(text)")


class Migration(migrations.Migration):
    dependencies = [("support", "0002_guards"), ("access", "0001_wall")]
    operations = [
        migrations.RunPython(add, remove),
        *(wall(table, seen_by) for table, seen_by in WALLS),
    ]
