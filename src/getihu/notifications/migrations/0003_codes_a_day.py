"""Codes to prove an address by are counted by the day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_addresses_and_events")]
    operations = [
        migrations.AddField("addressproof", "asked_on", models.DateField(null=True)),
        migrations.AddField(
            "addressproof", "asked_count", models.PositiveSmallIntegerField(default=0)
        ),
    ]
