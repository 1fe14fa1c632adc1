"""On PostgreSQL the database holds back appointments and visits of others: one sees her own, an
office those of its windows, an officer whose question it is or was asked to take it over."""

from django.db import migrations

from getihu.access.migrations_support import HERS, reached, wall

OFFICERS = ("case_officer", "supervisor", "window_officer")
# An office is named by its agency and its place: ``amr-330302``.
OF_THE_OFFICE = reached(OFFICERS, "split_part(office_id, '-', 2)", "split_part(office_id, '-', 1)")
WALLS = [
    (
        "entry_visit",
        f"{HERS} OR getihu_is_account(account_id) OR getihu_is_account(owner_id)"
        f" OR {OF_THE_OFFICE} OR EXISTS (SELECT 1 FROM entry_handingover h"
        " WHERE h.visit_id = entry_visit.id AND getihu_is_account(h.to_owner_id))",
    ),
    (
        "entry_appointment",
        f"{HERS} OR getihu_is_account(account_id) OR getihu_is_account(booked_by_id)"
        f" OR {OF_THE_OFFICE} OR EXISTS (SELECT 1 FROM entry_visit v"
        " WHERE v.appointment_id = entry_appointment.id)",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("entry", "0004_window_guards"), ("access", "0001_wall")]
    operations = [wall(table, seen_by) for table, seen_by in WALLS]
