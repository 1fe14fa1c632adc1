"""What an event says may go once it was kept for its term; its commitment stays."""

from django.db import migrations

from getihu.audit import guards


def update(apps, schema_editor):
    guards.let_old_events_be_emptied(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_kind_and_moment")]
    operations = [migrations.RunPython(update, migrations.RunPython.noop)]
