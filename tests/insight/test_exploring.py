"""Ad-hoc questions: from lists, in groups, within one's region and rights."""

from decimal import Decimal
from itertools import count

import pytest

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Duty, Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.audit.models import Event
from getihu.dataplane import selectors as dataplane
from getihu.insight import services
from getihu.insight.contracts import Question
from getihu.insight.services import exploring
from tests.real_city import AT, made_city, real_city
from tests.signed_in import sign_in

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db
_numbers = count()


def officer(role=Role.DATA_OFFICER, division="330300"):
    login = f"{role}-{next(_numbers)}"
    key = accounts.open_account(login=login, name="示例", duty=Duty.BUSINESS, at=AT)
    accounts.assign(
        key, role, agency="amr", division=division, reason="到岗", at=AT, by=None
    )  # fmt: skip
    return actor_of(key, AT)


def ask(*by, dataset="loans", measure="records", who=None, **more):
    return services.explore(Question(dataset, by, measure, **more), by=who or officer(), at=AT)


def test_what_is_told_is_what_the_records_say(real_city):
    found = ask("kind", measure="sum:amount_yuan")
    snapshot = dataplane.get_published_snapshot().snapshot_id
    sql = dataplane.dataset_sql("loans", snapshot)
    counted = dict(
        dataplane.engine()
        .execute(f"SELECT kind, sum(amount_yuan) FROM ({sql}) GROUP BY 1")
        .fetchall()
    )
    told = {row[0]: row[-1] for row in found.rows if row[-1] is not None}
    labels = {"credit": "信用", "mortgage": "抵押", "guarantee": "保证", "pledge": "质押"}
    assert told and all(
        told[labels[kind]] == float(yuan) for kind, yuan in counted.items() if labels[kind] in told
    )
    assert (
        found.digest
        == ask("kind", measure="sum:amount_yuan", who=officer(Role.COCKPIT_VIEWER)).digest
    )


def test_no_group_under_ten_and_none_that_follows(real_city):
    found = ask("county", "kind")
    assert found.withheld > 0
    for row in found.rows:
        assert row[-2] is None or row[-2] >= 10
    sizes = [(("a", "x"), 3), (("a", "y"), 50), (("b", "x"), 40), (("b", "y"), 60)]
    hidden = exploring._untold([(group, Decimal(size)) for group, size in sizes])
    for line in (("a", 0), ("b", 0), ("x", 1), ("y", 1)):
        inside = [group for group, _ in sizes if group[line[1]] == line[0]]
        assert len([group for group in inside if group in hidden]) != 1, line


def test_only_her_own_county(real_city):
    found = ask("county", dataset="penalties", who=officer(division="330302"))
    assert {row[0] for row in found.rows} <= {"鹿城区"}


def test_no_assessment_by_number_of_traders_or_annual_report_rate(real_city):
    """不得以个体工商户数量、年报率等考核、排名 (条例 第三十二条; plan 二（四）)."""
    for dataset in ("registrations", "annual_reports"):
        for measure in ("records", "households"):
            with pytest.raises(services.CannotExplore, match="第三十二条"):
                ask("county", dataset=dataset, measure=measure)
    assert ask("trade", dataset="registrations", measure="households").rows


@pytest.mark.parametrize(
    "question",
    [
        Question("nothing", ("county",), "records"),
        Question("loans", ("contract_no",), "records"),
        Question("loans", ("trader_code",), "records"),
        Question("loans", ("is_overdue",), "records"),  # sensitive: no grouping by it
        Question("loans", (), "records"),
        Question("loans", ("kind", "kind"), "records"),
        Question("loans", ("kind",), "sum:contract_no"),
        Question("loans", ("kind",), "max:amount_yuan"),
        Question("loans", ("kind",), "records", "kind", "x' OR '1'='1"),
        Question("loans", ("kind",), "records", "contract_no", "1"),
    ],
)
def test_nothing_but_what_the_lists_offer(real_city, question):
    with pytest.raises(services.CannotExplore):
        services.explore(question, by=officer(), at=AT)


def test_who_has_no_such_duty_asks_nothing(real_city):
    with pytest.raises(services.CannotExplore, match="职务"):
        ask("kind", who=officer(Role.INSPECTOR, "330302"))


def test_each_question_stands_in_the_log(real_city):
    ask("kind", column="bank_kind", value="local")
    event = Event.objects.filter(kind="insight.explored").get()
    assert "loans" in str(event.__dict__)


def test_a_question_too_long_is_broken_off_and_says_so(real_city, monkeypatch):
    monkeypatch.setattr(exploring, "SECONDS", 0.5)
    monkeypatch.setattr(exploring, "_sql", lambda *_: "SELECT 'x', count(*), sum(a.range) FROM"
                        " range(1000000000) a, range(1000000) b")  # fmt: skip
    with pytest.raises(services.CannotExplore, match="没有算完"):
        ask("kind")


def test_the_page_from_choosing_to_the_file(client, real_city):
    sign_in(client, Account.objects.get(pk=officer().account_id))
    assert "请选择" in client.get("/explore/").content.decode()
    assert "贷款金额合计" in client.get("/explore/", {"dataset": "loans"}).content.decode()
    asked = {"dataset": "loans", "by": "kind", "and": "", "measure": "sum:amount_yuan", "where": ""}
    page = client.get("/explore/", asked).content.decode()
    assert "信用" in page and "SELECT" in page
    file = client.get("/explore/", asked | {"as": "csv"})
    assert file["Content-Type"].startswith("text/csv") and "户数" in file.content.decode()
    wrong = client.get("/explore/", asked | {"by": "contract_no"})
    assert wrong.status_code == 422 and "从列表里选" in wrong.content.decode()
    assert client.get("/explore/", {"dataset": "nothing"}).status_code in (404, 422)
