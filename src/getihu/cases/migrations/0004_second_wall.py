"""On PostgreSQL the database holds back cases outside the reach of whoever a request is of.

See ``getihu.access.wall``. Stages stay readable: they name departments and divisions, nothing of
the trader, and the policy of cases asks them.
"""

from django.db import migrations

DESK_ROLES = ("window_officer", "case_officer", "supervisor")
OF_A_CASE = [
    "cases_attachment",
    "cases_casemove",
    "cases_handover",
    "cases_materialrequest",
    "cases_clockrun",
]


def reached(agency: str, division: str) -> str:
    """SQL: whether any desk role of the actor covers an agency in a division."""
    each = (
        f"('{role}:' || {agency} || ':' || {division}) LIKE ANY (getihu_wall_list('getihu.reach'))"
        for role in DESK_ROLES
    )
    return "(" + " OR ".join(each) + ")"


UP = """
    CREATE FUNCTION getihu_wall_is_up() RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT coalesce(current_setting('getihu.wall', true), '') = 'on' $$;
    -- A setting first made in a transaction that was rolled back is empty, no list.
    CREATE FUNCTION getihu_wall_list(name text) RETURNS text[] STABLE LANGUAGE sql
        AS $$ SELECT nullif(current_setting(name, true), '')::text[] $$;
    ALTER TABLE cases_case ENABLE ROW LEVEL SECURITY;
    ALTER TABLE cases_case FORCE ROW LEVEL SECURITY;
    CREATE POLICY cases_wall ON cases_case USING (
        NOT getihu_wall_is_up()
        OR trader_code = ANY (getihu_wall_list('getihu.traders'))
        OR (submitted_at IS NOT NULL AND (
            {of_agency}
            OR EXISTS (SELECT 1 FROM cases_stagerun s WHERE s.case_id = cases_case.id AND {of_stage})
        ))
    ) WITH CHECK (true);
"""
OF_ONE = """
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY {table}_wall ON {table} USING (
        NOT getihu_wall_is_up() OR EXISTS (SELECT 1 FROM cases_case c WHERE c.id = case_id)
    ) WITH CHECK (true);
"""


def add(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(
        UP.format(
            of_agency=reached("agency", "division"), of_stage=reached("s.department", "s.division")
        )
    )
    for table in OF_A_CASE:
        schema_editor.execute(OF_ONE.format(table=table))


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in ["cases_case", *OF_A_CASE]:
        schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    schema_editor.execute("DROP FUNCTION getihu_wall_is_up() CASCADE")
    schema_editor.execute("DROP FUNCTION getihu_wall_list(text) CASCADE")


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_attachments_and_posts")]
    operations = [migrations.RunPython(add, remove)]
