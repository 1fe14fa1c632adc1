"""What the tables alone cannot say: a duty never changes, a role fits its account's duty, and an
assignment can only be ended."""

from django.db import migrations

SQLITE = {
    "accounts_duty_for_life": """
        CREATE TRIGGER accounts_duty_for_life BEFORE UPDATE OF duty ON accounts_account
        WHEN NEW.duty <> OLD.duty
        BEGIN SELECT RAISE(ABORT, 'an account has one duty for life'); END
    """,
    "accounts_assignment_duty": """
        CREATE TRIGGER accounts_assignment_duty BEFORE INSERT ON accounts_assignment
        WHEN NEW.duty IS NOT (SELECT duty FROM accounts_account WHERE id = NEW.account_id)
        BEGIN SELECT RAISE(ABORT, 'the role does not fit the duty of the account'); END
    """,
    "accounts_assignment_fixed": """
        CREATE TRIGGER accounts_assignment_fixed BEFORE UPDATE ON accounts_assignment
        WHEN NEW.account_id <> OLD.account_id OR NEW.role <> OLD.role OR NEW.duty <> OLD.duty
            OR NEW.agency <> OLD.agency OR NEW.division <> OLD.division OR NEW.since <> OLD.since
            OR (OLD.until IS NOT NULL AND NEW.until IS NOT OLD.until)
        BEGIN SELECT RAISE(ABORT, 'an assignment can only be ended, once'); END
    """,
}

POSTGRESQL = """
CREATE FUNCTION accounts_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'accounts_account' THEN
        IF NEW.duty <> OLD.duty THEN
            RAISE EXCEPTION 'an account has one duty for life' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.duty IS DISTINCT FROM (SELECT duty FROM accounts_account WHERE id = NEW.account_id) THEN
            RAISE EXCEPTION 'the role does not fit the duty of the account' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (NEW.account_id, NEW.role, NEW.duty, NEW.agency, NEW.division, NEW.since)
            IS DISTINCT FROM (OLD.account_id, OLD.role, OLD.duty, OLD.agency, OLD.division, OLD.since)
            OR (OLD.until IS NOT NULL AND NEW.until IS DISTINCT FROM OLD.until) THEN
        RAISE EXCEPTION 'an assignment can only be ended, once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_duty_for_life BEFORE UPDATE OF duty ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION accounts_guard();
CREATE TRIGGER accounts_assignment_guard BEFORE INSERT OR UPDATE ON accounts_assignment
    FOR EACH ROW EXECUTE FUNCTION accounts_guard();
"""
POSTGRESQL_UNDO = "DROP FUNCTION accounts_guard() CASCADE"


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
        return
    for statement in SQLITE.values():
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_UNDO)
        return
    for name in SQLITE:
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
