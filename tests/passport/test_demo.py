"""The demo's wallets: licences and permits, looks by everybody, a bank's questions in every state."""

from datetime import UTC, datetime

import pytest

from getihu.accounts.contracts import CITY, Role
from getihu.config.demo_passport import open_wallets
from getihu.dataplane import selectors as dataplane
from getihu.passport import selectors, services
from tests.cases.cast import officer, person

AT = datetime.now(UTC)


@pytest.mark.django_db
def test_the_demo_has_wallets_looks_and_requests_in_every_state(real_city):
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and town_code is not null and permits_held > 0"
        " order by 1 limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    code = found.fetchone()[0]
    clerk = officer("demo-bank", Role.BANK_CLERK, "bank", CITY)
    cast = {
        "demo-owner-1": person("demo-owner-1", code),
        "demo-bank": clerk,
        "demo-inspector": officer("demo-inspector", Role.INSPECTOR, "amr", CITY),
    }
    # A case of the demo may have been granted before: its permit is there, the licence is not.
    services.issue_certificate(code, "food_permit", {}, at=AT, number="20261012-D7EB84DA")
    assert open_wallets(cast, at=AT) == 1
    assert sum(c.is_valid for c in selectors.list_certificates(code, at=AT)) > 1
    states = [asked.state for asked in selectors.list_asked(clerk, at=AT)]
    assert sorted(states) == ["answered", "open", "over", "taken_back"]
    assert len(selectors.list_waiting(code, at=AT)) == 1
    looks = selectors.list_scans(code)
    assert len(looks) == 7 and {"没有登录的人", "银行"} < {look.who for look in looks}
    numbers = selectors.count_numbers(10, at=AT)
    assert numbers.scenes_used >= 5 and numbers.users == 1
    assert open_wallets(cast, at=AT) == 0 and len(selectors.list_scans(code)) == 7  # again
