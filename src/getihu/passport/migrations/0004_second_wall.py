"""On PostgreSQL the database holds back other people's wallets and what they showed to whom. Whoever
scans a code, or is shown something, is answered by a service that has checked the code or consent."""

from django.db import migrations

from getihu.access.migrations_support import HERS, belongs_to, wall

WALLS = [
    ("passport_certificate", HERS),
    ("passport_statuschange", belongs_to("passport_certificate", "certificate_id")),
    ("passport_walletkey", HERS),
    ("passport_scan", HERS),
    # A request nobody has answered yet names no trader; its number is the way to it.
    (
        "passport_presentationrequest",
        f"{HERS} OR trader_code = '' OR getihu_is_account(asked_by_id)",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("passport", "0003_guards"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
