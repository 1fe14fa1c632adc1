"""The demo's supervision works on whatever day it is started, holidays and the turn of a year too."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core import serializers

from getihu.accounts import services as accounts
from getihu.audit import services as audit
from getihu.config.demo_supervision import open_supervision
from getihu.supervision import selectors, verify_draw
from getihu.supervision.contracts import Outcome, PlanState
from getihu.supervision.models import Breach, Plan, RecordNote, Visit
from tests.real_city import RealCity, made_city

__all__ = ["made_city"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def city(made_city: RealCity, settings, tmp_path) -> RealCity:
    """The small city's published data, with what supervision writes kept in this test's folder."""
    folder = tmp_path / "city"
    link = lambda source, target: Path(target).hardlink_to(source)  # noqa: E731
    shutil.copytree(made_city.folder, folder, copy_function=link)
    (folder / "demo.json").write_text("{}")
    settings.DATA_DIR = folder
    settings.DEPARTMENT_KEYS_DIR = folder / "keys" / "departments"
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
    for row in serializers.deserialize("json", made_city.rows):
        row.save()
    return made_city


@pytest.mark.parametrize("day", [(2026, 11, 9), (2027, 1, 3), (2027, 10, 2)], ids=str)
def test_a_plan_is_whole_another_waits_and_a_kitchen_is_fined_nothing(city, day):
    at = datetime(*day, 3, tzinfo=UTC)
    accounts.open_demo_cast(sorted(city.personas.values()), at=at - timedelta(days=60))
    drawn = open_supervision(django_settings, at=at)
    done, waiting = Plan.objects.order_by("made_at")
    assert drawn == done.drawn_count > 0
    assert (done.state, waiting.state) == (PlanState.PUBLISHED, PlanState.COMMITTED)
    assert Visit.objects.filter(plan=done, state="done").exists()
    audit.sequence(at)
    verify_draw.verify(selectors.dossier(done))
    assert open_supervision(django_settings, at=at) == 0
    kitchen, hardware = Breach.objects.order_by("item")
    for breach in (kitchen, hardware):
        assert (breach.outcome, breach.follows) == (Outcome.EDUCATION, True)
    assert RecordNote.objects.get().next_on is not None
