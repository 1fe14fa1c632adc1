"""The demo's appeals: five hundred in every state, within seconds, and an example of a mended rule."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from getihu.accounts import services as accounts
from getihu.config.demo_support import open_support
from getihu.support.machine import State
from getihu.support.models import Appeal, AppealClock, Ticket
from tests.support.conftest import SHOP

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)


@pytest.mark.django_db
def test_every_state_and_one_mended_rule(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    (tmp_path / "demo.json").write_text("{}")
    accounts.open_demo_cast([SHOP], at=AT - timedelta(days=60))
    assert open_support(at=AT) >= 490
    states = Counter(Appeal.objects.values_list("state", flat=True))
    assert set(states) == {state.value for state in State}
    assert Appeal.objects.filter(raised_to="lead").exists()
    assert Ticket.objects.get().mended_case.startswith("T-2026-001")
    assert not AppealClock.objects.filter(appeal__state="closed", stopped_on=None).exists()
