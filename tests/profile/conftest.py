"""The small demo city, a shop of it with its owner, and officers; consents are asked."""

import pytest

from getihu.accounts.contracts import Role
from getihu.dataplane import selectors as dataplane
from getihu.registry import selectors as registry
from tests.cases.cast import officer, person
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]


@pytest.fixture(autouse=True)
def consents_are_asked(settings):
    settings.RULE_CONSENTS = "getihu.config.consents.RegistryConsents"


@pytest.fixture
def shop(real_city):
    """A trader of the city that trades, with tax figures, permits or marks, and her owner."""
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and annual_sales_yuan is not null"
        " and is_marked_abnormal = false and town_code is not null"
        " order by holds_food_permit desc nulls last, trader_code limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    code = found.fetchone()[0]
    return registry.get_trader(code), person("owner", code)


@pytest.fixture
def window(shop):
    return officer("window", Role.WINDOW_OFFICER, "amr", shop[0].county_code)


@pytest.fixture
def tax_officer(shop):
    return officer("tax", Role.CASE_OFFICER, "tax", shop[0].county_code)
