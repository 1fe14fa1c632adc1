"""A database emptied for another demo city allows the same moves as a new one."""

import pytest
from django.apps import apps
from django.core.management import call_command

pytestmark = pytest.mark.django_db(transaction=True)


def moves():
    tables = [model for model in apps.get_models() if model._meta.db_table.endswith("allowed_move")]
    assert len(tables) >= 3
    return {
        model._meta.db_table: sorted(model.objects.values_list("before", "after"))
        for model in tables
    }


def test_the_tables_of_moves_are_there_again():
    before = moves()
    assert all(before.values())
    call_command("flush", interactive=False, verbosity=0)
    assert moves() == before
