"""On PostgreSQL the database holds back what is known of others in pools, types, links, conflicts,
objections and conversions: one sees her own, an office what lies in the places it tends. Lists and
counts that are public are read by services that know what is published."""

from django.db import migrations

from getihu.access.migrations_support import HERS, belongs_to, reached, wall

DESK = ("case_officer", "supervisor", "window_officer")
TENDING = ("case_officer", "supervisor")
READING = (*DESK, "inspector")
OF_A_CASE = '{0}."case"'
WALLS = [
    ("growth_membership", f"{HERS} OR {reached(READING, 'county_code')}"),
    ("growth_exit", f"{HERS} OR {reached(TENDING, 'county_code')}"),
    ("growth_type_move", f"{HERS} OR {reached(TENDING, 'county_code')}"),
    (
        "growth_refresh_hold",
        f"{HERS} OR EXISTS (SELECT 1 FROM growth_refresh r WHERE r.id = refresh_id"
        f" AND {reached(TENDING, 'r.county_code')})",
    ),
    ("growth_recommendation", f"{HERS} OR getihu_is_account(by_id)"),
    ("growth_recordlink", reached(DESK, "division", "'amr'")),
    ("growth_conflictitem", reached(DESK, "division", "department")),
    (
        "growth_objection",
        f"{HERS} OR {belongs_to('cases_case', OF_A_CASE.format('growth_objection'))}",
    ),
    ("growth_humanprofile", HERS),
    (
        "growth_conversion",
        f"{HERS} OR {belongs_to('cases_case', OF_A_CASE.format('growth_conversion'))}",
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("growth", "0004_profile_guards"),
        ("access", "0001_wall"),
        ("cases", "0004_second_wall"),
    ]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
