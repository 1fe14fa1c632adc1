"""The small demo city, measured once and put into each test's database."""

import pytest

from getihu.insight import services
from getihu.insight.models import Definition, Figure, Measurement
from tests.real_city import AT, count_on, made_city, real_city

__all__ = ["made_city", "real_city"]
TABLES = (Definition, Measurement, Figure)
_kept: list[list[object]] = []


@pytest.fixture
def measured(real_city):
    if _kept:
        for table, rows in zip(TABLES, _kept, strict=True):
            table.objects.bulk_create(rows, batch_size=2000)
        count_on(*TABLES)
    else:
        services.measure(at=AT)
        _kept.extend(list(table.objects.all()) for table in TABLES)
    return real_city
