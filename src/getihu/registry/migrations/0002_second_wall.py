"""On PostgreSQL the database holds back what others consented to."""

from django.db import migrations

from getihu.access.migrations_support import HERS, wall


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_consents"), ("access", "0001_wall")]
    operations = [wall("registry_consent", HERS)]
