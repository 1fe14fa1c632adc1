"""The database lets nobody but the operator begin a conversion or hand it in, and keeps what was
noted: no state, officer, rule, bundle or command finds a way around."""

from django.db import migrations

from getihu.audit.migrations_support import audit_table, held_fast, only_added

MATTER = "growth.conversion"
REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"
TOLD = "only the operator begins a conversion"


def owns(account: str, trader: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM accounts_ownership o WHERE o.account_id = {account}"
        f" AND o.trader_code = {trader} AND o.until IS NULL)"
    )


# Name → (table, when, what must hold). ``when`` keeps every other row free of cost.
GUARDS = {
    "growth_conversion_begun": (
        "cases_case",
        "INSERT",
        f"NEW.matter_id = '{MATTER}'",
        owns("NEW.opened_by_id", "NEW.trader_code"),
    ),
    "growth_conversion_stays": (
        "cases_case",
        "UPDATE",
        f"NEW.matter_id = '{MATTER}' AND (OLD.matter_id <> NEW.matter_id"
        " OR OLD.opened_by_id <> NEW.opened_by_id OR OLD.trader_code <> NEW.trader_code)",
        "1 = 0",
    ),
    "growth_conversion_handed_in": (
        "cases_casemove",
        "INSERT",
        "NEW.\"after\" = 'submitted' AND EXISTS (SELECT 1 FROM cases_case c"
        f" WHERE c.id = NEW.case_id AND c.matter_id = '{MATTER}')",
        "EXISTS (SELECT 1 FROM cases_case c WHERE c.id = NEW.case_id"
        f" AND c.opened_by_id = NEW.by_id AND {owns('NEW.by_id', 'c.trader_code')})",
    ),
    "growth_conversion_filed": (
        "entry_filing",
        "INSERT",
        "NEW.kind = 'conversion'",
        "EXISTS (SELECT 1 FROM cases_case c JOIN cases_casemove m ON m.case_id = c.id"
        f" WHERE c.id = NEW.\"case\" AND c.matter_id = '{MATTER}' AND c.state = 'granted'"
        " AND c.trader_code = NEW.trader_code AND m.\"after\" = 'submitted'"
        " AND m.by_id = c.opened_by_id)",
    ),
    "growth_conversion_noted": (
        "growth_conversion",
        "INSERT",
        "1 = 1",
        f"EXISTS (SELECT 1 FROM cases_case c WHERE c.id = NEW.\"case\" AND c.matter_id = '{MATTER}'"
        " AND c.state = 'granted' AND c.trader_code = NEW.trader_code)",
    ),
}


def add(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for name, (table, event, when, must) in GUARDS.items():
        if not postgresql:
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table}"
                f" WHEN ({when}) AND NOT ({must})"
                f" BEGIN SELECT RAISE(ABORT, '{TOLD}'); END"
            )
            continue
        # A WHEN clause of PostgreSQL takes no subquery, so the whole question is in the function.
        schema_editor.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF ({when}) AND NOT ({must}) THEN
                    RAISE EXCEPTION '{TOLD}' {REFUSED};
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER {name} BEFORE {event} ON {table}
                FOR EACH ROW EXECUTE FUNCTION {name}()""")


def remove(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for name in GUARDS:
        schema_editor.execute(
            f"DROP FUNCTION {name}() CASCADE" if postgresql else f"DROP TRIGGER {name}"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("growth", "0003_profile"),
        ("audit", "0001_initial"),
        ("accounts", "0002_guards"),
        ("cases", "0003_attachments_and_posts"),
        ("entry", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(add, remove),
        only_added("growth_conversion"),
        held_fast(
            "growth_objection",
            fixed=["case", "trader_code", "fact", "shown", "snapshot_id", "slip", "slip_sha256"],
            once=["decided_at", "ended_at"],
        ),
        held_fast("growth_humanprofile", fixed=["case", "trader_code"], once=["ended_at"]),
        held_fast(
            "growth_transfertask",
            fixed=["conversion_id", "kind", "about", "ref", "department"],
            once=["ended_at", "ended_by_id"],
        ),
        held_fast(
            "growth_aftercareduty",
            fixed=["conversion_id", "kind", "number", "due_on"],
            once=["served_at", "confirmed_at"],
        ),
        held_fast(
            "growth_recordlink",
            fixed=["dataset", "record", "trader_code", "weight", "evidence"],
        ),
        held_fast(
            "growth_conflictitem", fixed=["rule_id", "trader_code", "found_at"], once=["gone_at"]
        ),
        audit_table("growth_transfertask"),
        audit_table("growth_aftercareduty"),
        audit_table("growth_recordlink"),
    ]
