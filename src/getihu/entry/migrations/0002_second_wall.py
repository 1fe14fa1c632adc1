"""On PostgreSQL the database holds back filings and register entries of other people's shops: one sees
her own, an office those of the places it reaches."""

from django.db import migrations

from getihu.access.migrations_support import HERS, reached, wall

OFFICERS = ("case_officer", "inspector", "supervisor", "window_officer")
PLACE = "coalesce(nullif({0}town_code, ''), {0}county_code)"
WALLS = [
    ("entry_registerrow", f"{HERS} OR {reached(OFFICERS, PLACE.format(''))}"),
    (
        "entry_filing",
        f"{HERS} OR EXISTS (SELECT 1 FROM entry_registerrow r"
        f" WHERE r.trader_code = entry_filing.trader_code)",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("entry", "0001_initial"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
