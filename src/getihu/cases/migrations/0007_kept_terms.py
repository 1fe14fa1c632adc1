"""A case keeps the statutory terms its clocks run by."""

import django.db.models.deletion
from django.db import migrations, models

from getihu.audit.migrations_support import only_added

NAME = "cases_case_terms_set_once"


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE TRIGGER {NAME} BEFORE UPDATE ON cases_case FOR EACH ROW"
            " WHEN (OLD.terms_id IS NOT NULL AND NEW.terms_id IS DISTINCT FROM OLD.terms_id)"
            " EXECUTE FUNCTION cases_refuse()"
        )
        return
    schema_editor.execute(
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON cases_case"
        " WHEN OLD.terms_id IS NOT NULL AND NEW.terms_id IS NOT OLD.terms_id"
        " BEGIN SELECT RAISE(ABORT, 'what was noted does not change'); END"
    )


def remove(apps, schema_editor):
    on = " ON cases_case" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER {NAME}{on}")


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_bundle_guards")]
    operations = [
        migrations.CreateModel(
            name="KeptTerms",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("kept_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="terms",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.keptterms",
            ),
        ),
        migrations.RunPython(add, remove),
        only_added("cases_keptterms"),
    ]
