"""Who may do what is audited by the database: on PostgreSQL raw SQL writes an event too."""

from django.db import migrations

from getihu.audit.migrations_support import audit_table

AUDITED = [
    "accounts_assignment",
    "accounts_authorisation",
    "accounts_ownership",
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_used_ticket"), ("audit", "0001_initial")]
    operations = [*map(audit_table, AUDITED)]
