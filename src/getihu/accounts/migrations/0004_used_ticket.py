"""Tickets of the provincial login that were used."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_alter_assignment_role")]
    operations = [
        migrations.CreateModel(
            name="UsedTicket",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        )
    ]
