"""What policies of any table ask about whoever a request is of; on PostgreSQL alone.

``getihu.access.wall`` sets what these read. A setting first made in a transaction that was rolled
back is empty, which is no list and nobody.
"""

from django.db import migrations

UP = """
    CREATE FUNCTION getihu_walled() RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT coalesce(current_setting('getihu.wall', true), '') = 'on' $$;
    CREATE FUNCTION getihu_is_hers(trader_code text) RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT coalesce(trader_code = ANY (
            nullif(current_setting('getihu.traders', true), '')::text[]), false) $$;
    CREATE FUNCTION getihu_is_account(account uuid) RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT coalesce(
            account::text = nullif(current_setting('getihu.account', true), ''), false) $$;
    -- Whether one of the roles reaches an agency (null: any) in a division.
    CREATE FUNCTION getihu_reaches(roles text[], agency text, division text)
        RETURNS boolean STABLE LANGUAGE sql
        AS $$ SELECT EXISTS (
            SELECT 1
            FROM unnest(nullif(current_setting('getihu.reach', true), '')::text[]) AS held(pattern),
                unnest(roles) AS named(role)
            WHERE role LIKE split_part(pattern, ':', 1)
                AND (agency IS NULL OR agency LIKE split_part(pattern, ':', 2))
                AND division LIKE split_part(pattern, ':', 3)
        ) $$;
"""
DOWN = """
    DROP FUNCTION getihu_reaches(text[], text, text);
    DROP FUNCTION getihu_is_account(uuid);
    DROP FUNCTION getihu_is_hers(text);
    DROP FUNCTION getihu_walled();
"""


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UP)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DOWN)


class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.RunPython(add, remove)]
