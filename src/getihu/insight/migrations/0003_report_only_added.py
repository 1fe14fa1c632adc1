"""A published report stays as it was: a correction is a new edition beside it."""

from django.db import migrations

from getihu.audit.migrations_support import only_added


class Migration(migrations.Migration):
    dependencies = [("insight", "0002_report"), ("audit", "0001_initial")]

    operations = [only_added("insight_report")]
