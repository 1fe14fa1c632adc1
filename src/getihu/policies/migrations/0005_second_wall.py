"""On PostgreSQL the database holds back awards outside the reach of whoever a request is of: her own,
or those of the places her office reaches."""

from django.db import migrations

from getihu.access.migrations_support import HERS, belongs_to, reached, wall

OFFICERS = ("case_officer", "finance_officer", "policy_writer", "supervisor")
OF_AN_AWARD = belongs_to("policies_award", "award_id")
WALLS = [
    ("policies_award", f"{HERS} OR {reached(OFFICERS, 'division')}"),
    ("policies_awardmove", OF_AN_AWARD),
    ("policies_samplecheck", OF_AN_AWARD),
    ("policies_adjustment", OF_AN_AWARD),
    ("policies_order", OF_AN_AWARD),
    # An account belongs to a trader, not to one award of hers.
    (
        "policies_payeeaccount",
        f"{HERS} OR "
        + belongs_to("policies_award", "policies_payeeaccount.trader_code", "trader_code"),
    ),
    ("policies_matchconsent", HERS),
    ("policies_push", HERS),
]


class Migration(migrations.Migration):
    dependencies = [("policies", "0004_drafts"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
