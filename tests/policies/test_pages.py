"""The pages of awards: what everybody sees, what a trader says, what an office does."""

import hashlib
import json
import re
from decimal import Decimal

import pytest

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.policies.models import Award, AwardRun
from tests.policies.conftest import PROGRAMME, RULE, awarded, officer, operator
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db(transaction=True)  # as in service


def as_person(client, actor) -> None:
    sign_in(client, Account.objects.get(pk=actor.account_id))


def post(client, path: str, page: str, **given: str):
    once = re.search(r'name="once" value="([^"]+)"', page).group(1)
    return client.post(path, {"once": once, **given})


def test_everybody_sees_the_run_and_nobody_in_it(client, city, writer, supervisor):
    run = awarded(writer, supervisor, total_yuan=Decimal(6000))
    page = client.get(f"/awards/{run.pk}/").content.decode()
    assert run.list_sha256 in page
    assert run.seed in page
    assert "排队等预算" in page
    for code in run.awards.values_list("trader_code", flat=True):
        assert code not in page
    assert client.get("/awards/").status_code == 200
    dry = AwardRun.objects.get(is_dry=True)
    assert client.get(f"/awards/{dry.pk}/").status_code == 404


def test_the_trader_confirms_once_and_nobody_else_can(client, city, writer, supervisor):
    run = awarded(writer, supervisor)
    award = run.awards.order_by("position").first()
    path = f"/mine/awards/{award.pk}/"
    assert client.get(path).status_code == 302
    as_person(client, operator("92330302MA2ABC001M"))
    assert client.get(path).status_code == 404
    as_person(client, operator(award.trader_code))
    page = client.get(path).content.decode()
    said = {"do": "confirm", "number": "6228 4800 0000 1234", "bank": "示例银行"}
    refused = post(client, f"{path}say/", page, **said)
    assert refused.status_code == 422
    assert "同意" in refused.content.decode()
    page = client.get(path).content.decode()
    for _ in range(2):  # sent twice, acts once
        answer = post(client, f"{path}say/", page, **said, consent="account")
        assert answer.status_code == 302
    award.refresh_from_db()
    assert award.state == "confirmed"
    page = client.get(path).content.decode()
    assert "尾号 1234" in page
    assert "62284800" not in page
    slip = client.get(f"{path}slip.json")
    assert slip.content == bytes(award.slip)


def test_the_desk_from_the_review_to_the_awards(client, city, writer):
    chief = officer(Role.SUPERVISOR)
    as_person(client, chief)
    page = client.get(f"/desk/fairness/{RULE}/").content.decode()
    findings = re.findall(r'name="finding" value="([^"]+)"', page)
    assert len(findings) >= 2
    for finding in findings:
        page = client.get(f"/desk/fairness/{RULE}/").content.decode()
        answer = post(
            client, "/desk/awards/act/", page,
            do="answer", rule=RULE, finding=finding, ground="条例允许", article="第十三条",
        )  # fmt: skip
        assert answer.status_code == 302
    as_person(client, writer)
    page = client.get("/desk/awards/").content.decode()
    planned = post(client, "/desk/awards/act/", page, do="plan", programme=PROGRAMME)
    assert planned.status_code == 302
    run = AwardRun.objects.get()
    page = client.get(planned.url).content.decode()
    mine = post(client, "/desk/awards/act/", page, do="approve", run=str(run.pk))
    assert mine.status_code == 403  # a policy writer cannot approve
    as_person(client, chief)
    page = client.get(planned.url).content.decode()
    assert post(client, "/desk/awards/act/", page, do="approve", run=str(run.pk)).status_code == 302
    as_person(client, writer)
    page = client.get(planned.url).content.decode()
    started = post(client, "/desk/awards/act/", page, do="start", run=str(run.pk))
    assert started.status_code == 302
    assert Award.objects.count() == run.entitled_count
    assert "认定完成" in client.get(started.url).content.decode()


def test_the_pages_are_not_for_other_roles(client, city):
    as_person(client, officer(Role.INSPECTOR))
    for path in ("/desk/awards/", f"/desk/fairness/{RULE}/"):
        assert client.get(path).status_code == 403


def test_her_proof_opens_and_leads_to_the_signed_root(client, city, writer, supervisor, grow_log):
    """What she takes home shows that the log holds the decision on her award, and nothing else."""
    run = awarded(writer, supervisor)
    award = run.awards.order_by("position").first()
    path = f"/mine/awards/{award.pk}/proof.json"
    as_person(client, operator(award.trader_code))
    (waiting,) = json.loads(client.get(path).content)["entries"]
    assert waiting["proof"] is None  # not in a checkpoint yet
    grow_log()
    (entry,) = json.loads(client.get(path).content)["entries"]
    assert entry["commitment"] in entry["proof"] or "c2sp.org/tlog-proof" in entry["proof"]
    salt, record = bytes.fromhex(entry["salt"]), entry["record"].encode()
    opened = hashlib.sha256(b"getihu.audit/v1\n" + salt + record).hexdigest()
    assert opened == entry["commitment"]
    assert award.slip_sha256 in entry["record"]
    as_person(client, operator("92330302MA2ABC001M"))
    assert client.get(path).status_code == 404


@pytest.fixture
def grow_log(city, settings):
    """Take what waits into the log and sign it."""
    from pathlib import Path

    settings.AUDIT_LOG_DIR = Path(settings.DATA_DIR) / "log"

    def grow():
        from getihu.audit import services as audit
        from tests.policies.conftest import AT

        audit.sequence(AT)

    return grow
