"""Indicators over the small demo city."""

import pytest
from tests.real_city import AT, made_city, real_city

from getihu.insight import services
from getihu.insight.models import Figure

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db


def test_x(real_city):
    for d in services.measure(at=AT, progress=print):
        f = Figure.objects.filter(measurement=d, division="330300").order_by("-as_of").first()
        print(d[:8], f and (f.as_of, f.part, f.whole, f.unknown, f.value, f.low, f.high), services.rerun(d).is_same)
    assert 0
