"""Barriers that traders report: a matter like any other, and a public list without their words."""

import pytest

from getihu.cases import services as cases
from getihu.cases.models import Case
from tests.policies.conftest import AT, operator
from tests.policies.test_applying import code, hers, worker  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "他说只收本地的，找王某某才行"


def reported(code, hers):  # noqa: F811
    from getihu.registry import selectors as registry

    trader = registry.get_trader(code)
    case_id = cases.open_draft(
        "policies.barrier_report", code, place=trader.county_code, by=hers, at=AT
    )
    form = {"kind": "local_only", "agency": "platform", "what": WORDS, "wording": WORDS}
    cases.save_draft(case_id, form, by=hers)
    return case_id


def test_the_list_tells_what_and_where_but_no_word_of_hers(client, city, code, hers, worker):  # noqa: F811
    case_id = reported(code, hers)
    assert "还没有人反映" in client.get("/barriers/").content.decode()  # a draft is hers alone
    cases.submit(case_id, by=hers, at=AT)
    page = client.get("/barriers/").content.decode()
    assert "只认本地登记的" in page
    assert "平台或市场" in page
    assert "在办" in page
    assert "王某某" not in page
    assert code not in page
    assert Case.objects.get().number not in page


def test_a_report_taken_back_is_not_listed(client, city, code, hers, worker):  # noqa: F811
    case_id = reported(code, hers)
    cases.submit(case_id, by=hers, at=AT)
    cases.withdraw(case_id, by=operator(code), at=AT)
    assert "还没有人反映" in client.get("/barriers/").content.decode()


def test_the_list_is_the_same_behind_the_second_wall(city, code, hers, worker):  # noqa: F811
    """On PostgreSQL the database holds cases back; a public list still counts everybody's."""
    from getihu.access.wall import walled
    from getihu.cases import selectors

    cases.submit(reported(code, hers), by=hers, at=AT)
    with walled(operator("92330302MA2ABC001M")):
        assert len(selectors.list_public("policies.barrier_report")) == 1
        assert selectors.count_cases("policies.barrier_report", [code]) == 1
