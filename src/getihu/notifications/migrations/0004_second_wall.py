"""On PostgreSQL the database holds back what is told to others, and where they are reached."""

from django.db import migrations

from getihu.access.migrations_support import wall

WALLS = [
    ("notifications_notice", "getihu_is_account(recipient_id)"),
    ("notifications_declined", "getihu_is_account(account_id)"),
    ("notifications_address", "getihu_is_account(account_id)"),
    ("notifications_addressproof", "getihu_is_account(account_id)"),
]


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_codes_a_day"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
