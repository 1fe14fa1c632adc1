"""Consents to find policies go to the registry, where every consent is kept."""

from django.db import migrations

PURPOSE = "policy_match"


def copy(apps, schema_editor):
    """Safe to run again: a consent that is there already is left."""
    kept = apps.get_model("registry", "Consent").objects.using(schema_editor.connection.alias)
    old = apps.get_model("policies", "MatchConsent").objects.using(schema_editor.connection.alias)
    for row in old.order_by("id"):
        kept.get_or_create(
            trader_code=row.trader_code,
            purpose=PURPOSE,
            article=row.article,
            given_at=row.since,
            defaults={
                "how": "online",
                "by_id": row.by_id,
                "ended_at": row.until,
                "ended_by_id": row.by_id if row.until else None,
                "ended_how": "withdrawn" if row.until else "",
            },
        )


class Migration(migrations.Migration):
    dependencies = [("policies", "0006_top_ups_and_grants"), ("registry", "0001_consents")]
    operations = [migrations.RunPython(copy, migrations.RunPython.noop)]
