"""The database keeps certificates as issued and consents as given: what was taken back stays so, and
what a bank was shown is only ever emptied."""

from django.db import migrations

FIXED = {
    "passport_certificate": [
        "trader_code",
        "kind",
        "number",
        "place",
        "key_id",
        "text",
        "sha256",
        "issued_at",
        "valid_until",
        "filing",
        "town_code",
    ],
    "passport_presentationrequest": [
        "asked_by_id",
        "agency",
        "scene",
        "wanted",
        "purpose",
        "nonce",
        "asked_at",
        "answer_by",
        "until",
        "asked_of",
    ],
}
REVOKED = 1
# table, trigger, condition: moves back that nobody may make
ONE_WAY = [
    (
        "passport_certificate",
        "passport_revoked_stays",
        f"OLD.status = {REVOKED} AND NEW.status <> {REVOKED}",
    ),
    (
        "passport_presentationrequest",
        "passport_answer_stays",
        "(OLD.answered_at IS NOT NULL OR OLD.declined_at IS NOT NULL)"
        " AND (NEW.answered_at IS NULL AND OLD.answered_at IS NOT NULL"
        " OR NEW.declined_at IS NULL AND OLD.declined_at IS NOT NULL"
        " OR NEW.trader_code <> OLD.trader_code OR NEW.shown IS NOT NULL AND {changed})",
    ),
    (
        "passport_presentationrequest",
        "passport_wiped_stays",
        "OLD.wiped_at IS NOT NULL AND (NEW.wiped_at IS NULL OR NEW.shown IS NOT NULL)",
    ),
]


def conditions(differs: str) -> list[tuple[str, str, str]]:
    """Table, trigger, when it refuses; ``differs``: the database's word for a change or null."""
    fixed = [
        (table, f"{table}_fixed", " OR ".join(f"NEW.{c} {differs} OLD.{c}" for c in columns))
        for table, columns in FIXED.items()
    ]
    changed = f"NEW.shown {differs} OLD.shown"
    return fixed + [(table, name, when.format(changed=changed)) for table, name, when in ONE_WAY]


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("""
            CREATE FUNCTION passport_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'what was issued or agreed does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$""")
        for table, name, when in conditions("IS DISTINCT FROM"):
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW"
                f" WHEN ({when}) EXECUTE FUNCTION passport_refuse()"
            )
        return
    for table, name, when in conditions("IS NOT"):
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {when}"
            " BEGIN SELECT RAISE(ABORT, 'what was issued or agreed does not change'); END"
        )


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION passport_refuse() CASCADE")
        return
    for _, name, _ in conditions("IS NOT"):
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("passport", "0002_looks_that_count")]
    operations = [migrations.RunPython(add, remove)]
