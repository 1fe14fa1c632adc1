"""Several workers sweep at once: nothing missed, nothing done twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from getihu.cases import services
from getihu.cases.models import CaseMove, ClockRun, Escalation
from tests.cases.cast import AT, SHOP, TOWN, days, make_cast

FORM = {"use_area_m2": "80", "seats": 20, "has_signboard": True}


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_escalate_each_clock_once():
    cast = make_cast()
    for _ in range(8):
        case = services.open_draft("entry.catering_opening", SHOP, place=TOWN, by=cast.owner, at=AT)
        services.save_draft(case, FORM, by=cast.owner)
        services.submit(case, by=cast.owner, at=AT)

    def work(_: int) -> int:
        try:
            return services.sweep_due(days(8))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(work, range(4)))
    assert done == 8
    assert Escalation.objects.count() == 8
    assert CaseMove.objects.filter(after="accepted").count() == 8
    assert not ClockRun.objects.filter(due_on__lt=days(8).date(), stopped_on=None).exists()
