"""On PostgreSQL the database holds back ratings of other offices. The rater has no name here: she is
answered by a service that has checked her code."""

from django.db import migrations

from getihu.access.migrations_support import belongs_to, reached, wall

OFFICERS = ("case_officer", "supervisor", "window_officer")
OF_A_RATING = belongs_to("evaluations_rating", "rating_id")
WALLS = [
    ("evaluations_rating", reached(OFFICERS, "division", "agency")),
    ("evaluations_ratingcontact", OF_A_RATING),
    ("evaluations_followup", OF_A_RATING),
    ("evaluations_rectification", OF_A_RATING),
    ("evaluations_rectificationlate", belongs_to("evaluations_rectification", "rectification_id")),
    ("evaluations_caserated", belongs_to("cases_case", "case_id")),
]


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0002_guards"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
