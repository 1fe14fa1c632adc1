"""A slip gives the same bytes after rules, facts and the catalogue have moved on; an altered one
is refused by the name of what was altered."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from getihu.audit import selectors as audited
from getihu.config.cli import main
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactType
from getihu.rulebook import selectors, services
from getihu.rulebook.advise.reads import UnknownAnswer
from getihu.rulebook.explain.canonical import canonical_json
from getihu.rulebook.slips.archive import NotArchived, fingerprint
from getihu.rulebook.slips.slips import NotASlip, SlipTampered
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import RULE_ID, SIZE_TABLE, SMALL_SHOP, write
from tests.rulebook.traders import AS_OF, CODE, trader


class Published:
    snapshot_id = "s0123456789ab"
    data_until = AS_OF


@pytest.fixture
def world(tmp_path, settings, monkeypatch, db):
    """A rule folder, one trader, and ``world.move(...)`` to change any of it."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for text in (SMALL_SHOP, SIZE_TABLE):
        write(folder, text)
    settings.RULE_DIRS = [folder]
    settings.DATA_DIR = tmp_path

    class World:
        def __init__(self):
            self.rules, self.data, self.catalogue = folder, tmp_path, CATALOGUE
            self.facts, self.old_facts = {}, {}
            self.snapshot = Published.snapshot_id

        def trader(self, code, as_of, snapshot_id=None):
            facts = self.facts if snapshot_id in (None, self.snapshot) else self.old_facts
            found = trader(facts, as_of=as_of)
            return replace(found, snapshot_id=snapshot_id or self.snapshot)

    made = World()
    monkeypatch.setattr(dataplane, "fact_catalogue", lambda: made.catalogue)
    monkeypatch.setattr(dataplane, "get_trader_facts", made.trader)
    monkeypatch.setattr(dataplane, "get_published_snapshot", lambda: published(made))
    return made


def published(world):
    class Now(Published):
        snapshot_id = world.snapshot

    return Now


def issue(**over):
    return services.issue_slip(CODE, RULE_ID, as_of=AS_OF, **over)


def test_a_slip_says_on_what_the_decision_rests(world):
    slip = issue()
    said = json.loads(slip.content)
    rule = selectors.get_rule(RULE_ID)
    assert (slip.outcome, slip.amount_yuan) == ("yes", Decimal("67.00"))
    assert said["rule"]["version"] == rule.version
    assert (said["snapshot_id"], said["as_of"]) == (Published.snapshot_id, "2026-10-31")
    assert said["facts"]["annual_sales_yuan"]["value"] == "120000.00"
    assert said["facts"]["annual_sales_yuan"]["department"] == "tax"
    assert said["facts"]["annual_sales_yuan"]["recorded_on"] == "2026-09-30"
    assert {name: c["result"] for name, c in said["clauses"].items()} == {
        "is_active": "yes",
        "is_small": "yes",
        "is_settled": "yes",
        "has_paid_tax": "no",
    }
    rest = {name: value for name, value in said.items() if name != "sha256"}
    assert slip.sha256 == said["sha256"] == fingerprint(canonical_json(rest))
    assert slip.content == canonical_json(said)


def test_the_same_decision_is_the_same_slip(world):
    assert issue().content == issue().content


def test_a_slip_knows_which_regional_rule_took_the_place(world):
    regional = (
        SMALL_SHOP.replace(RULE_ID, "tests.regional")
        .replace('region: "330300"', 'region: "330382"')
        .replace("decides_on", f"overrides: [{RULE_ID}]\ndecides_on", 1)
    )
    path = write(world.rules, regional)
    world.facts = {"county_code": "330382"}
    slip = issue()
    said = json.loads(slip.content)
    assert said["applies"] is False
    assert [other["rule_id"] for other in said["rule"]["overridden_by"]] == ["tests.regional"]
    path.unlink()
    assert services.replay(slip.content).slip.content == slip.content


def test_the_same_bytes_come_out_after_everything_has_moved_on(world):
    slip = issue()
    # The rule is edited, then goes; a newer snapshot says otherwise; a fact changes its type,
    # label and department, another is no longer declared at all.
    write(world.rules, SMALL_SHOP.replace("value: 300000", "value: 100000"))
    world.old_facts, world.snapshot = world.facts, "s9999999999ff"
    world.facts = {"annual_sales_yuan": Decimal("250000.00")}
    sales = CATALOGUE["annual_sales_yuan"]
    world.catalogue = {
        **CATALOGUE,
        "annual_sales_yuan": replace(sales, label="年营业额", department_name="另一个部门"),
    }
    done = services.replay(slip.content)
    assert done.slip.content == slip.content
    assert done.today.is_rule_changed
    assert done.today.decides_differently is True
    assert (done.today.outcome, done.today.snapshot_id) == ("no", "s9999999999ff")
    assert done.today.facts_changed == ("annual_sales_yuan",)
    for file in world.rules.iterdir():
        file.unlink()
    world.catalogue = {
        name: replace(fact, type=FactType.TEXT)
        for name, fact in CATALOGUE.items()
        if name != "insured_employees"
    }
    later = services.replay(slip.content)
    assert later.slip.content == slip.content
    assert later.today.decides_differently is None
    assert later.today.why_unknown


def test_today_may_still_decide_the_same(world):
    slip = issue()
    done = services.replay(slip.content)
    assert (done.today.decides_differently, done.today.facts_changed) == (False, ())
    assert not done.today.is_rule_changed


ALTERED = {
    "outcome": (("outcome",), "no", "outcome"),
    "amount": (("amount_yuan",), "670.00", "amount_yuan"),
    "clause": (("clauses", "is_small", "result"), "no", "clauses.is_small.result"),
    "article": (("clauses", "is_small", "article"), "第九条", "clauses.is_small.article"),
    "version": (("rule", "version"), "000000000000", "rule.version"),
    "fact that decides": (
        ("facts", "annual_sales_yuan", "value"),
        "999999.00",
        "clauses.is_small.result",
    ),
    "fact that does not decide": (
        ("facts", "annual_sales_yuan", "value"),
        "110000.00",
        "facts.annual_sales_yuan.value",
    ),
}


@pytest.mark.parametrize("resealed", [False, True])
@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_slip_is_refused_by_the_name_of_the_field(world, name, resealed):
    path, value, field = ALTERED[name]
    said = json.loads(issue().content)
    place = said
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if resealed:
        if name == "fact that does not decide":
            return  # consistent in itself: only the fingerprint in the audit log tells
        rest = {key: v for key, v in said.items() if key != "sha256"}
        said["sha256"] = fingerprint(canonical_json(rest))
    with pytest.raises(SlipTampered) as caught:
        services.replay(canonical_json(said))
    assert field in caught.value.fields
    assert field in str(caught.value)
    assert "不予采信" in str(caught.value)


def test_an_altered_fingerprint_is_named(world):
    said = json.loads(issue().content)
    said["sha256"] = "0" * 64
    with pytest.raises(SlipTampered, match="sha256"):
        services.replay(canonical_json(said))


def test_bytes_written_anew_are_not_the_slip(world):
    content = json.dumps(json.loads(issue().content), ensure_ascii=False, indent=1).encode()
    with pytest.raises(SlipTampered, match="不是开出时的字节"):
        services.replay(content)


def test_a_slip_cut_short_names_what_it_lacks(world):
    said = json.loads(issue().content)
    del said["clauses"]
    with pytest.raises(SlipTampered, match="clauses"):
        services.replay(canonical_json(said))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": "x"}', b"\xff\xfe", b"null"])
def test_what_is_no_slip_is_refused(content, world):
    with pytest.raises(NotASlip):
        services.replay(content)


def test_a_lost_or_altered_archive_is_named_and_never_trusted(world):
    slip = issue()
    said = json.loads(slip.content)
    name = said["rule"]["text_sha256"]
    kept = world.data / "rulebook" / "archive" / name[:2] / name
    text = kept.read_bytes()
    kept.chmod(0o644)
    kept.write_bytes(text.replace(b"300000", b"100000"))
    with pytest.raises(NotArchived, match="被改动过"):
        services.replay(slip.content)
    kept.unlink()
    with pytest.raises(NotArchived, match="没有"):
        services.replay(slip.content)
    kept.write_bytes(text)
    assert services.replay(slip.content).slip == slip


@pytest.mark.parametrize("field", ["text_sha256", "facts_sha256"])
def test_no_fingerprint_leads_out_of_the_archive(world, field):
    said = json.loads(issue().content)
    said["rule"][field] = "../../../etc/passwd"
    with pytest.raises(NotArchived):
        services.replay(canonical_json(said))


def test_answers_stand_in_the_slip_and_never_overrule_a_department(world):
    world.facts = {"paid_tax_last_year": None, "annual_sales_yuan": None}
    open_ = issue()
    assert open_.outcome == "unknown"
    answered = issue(answers={"annual_sales_yuan": Decimal("1000.50")})
    assert answered.outcome == "yes"
    assert json.loads(answered.content)["answers"] == {"annual_sales_yuan": "1000.50"}
    assert services.replay(answered.content).slip == answered
    world.facts = {"annual_sales_yuan": Decimal("900000.00")}
    assert issue(answers={"annual_sales_yuan": Decimal("1000.50")}).outcome == "no"
    with pytest.raises(UnknownAnswer, match="colour"):
        issue(answers={"colour": "red"})


def test_the_command_line_issues_and_replays(world, tmp_path):
    run = CliRunner().invoke
    file = tmp_path / "slip.json"
    code = "92330302MA2ECR1A0J"
    made = run(main, ["slip", code, RULE_ID, "-o", str(file), "--as-of", "2026-10-31"])
    assert made.exit_code == 0, made.output
    again = run(main, ["replay", str(file)])
    assert again.exit_code == 0
    assert "一致" in again.output and "还是一样" in again.output
    assert "审计日志里有" in again.output
    file.write_bytes(file.read_bytes().replace(b'"outcome":"yes"', b'"outcome":"no"'))
    refused = run(main, ["replay", str(file)])
    assert refused.exit_code == 2
    assert "outcome" in refused.output


def test_the_log_tells_a_slip_made_anew_from_one_that_was_issued(world):
    """Facts altered without changing the outcome, and the fingerprint made to fit."""
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    slip = issue(at=at)
    assert issue(at=at).content == slip.content
    assert services.replay(slip.content).is_in_log
    assert len(audited.list_events_of(f"slip:{slip.sha256}")) == 1
    said = json.loads(slip.content)
    said["facts"]["annual_sales_yuan"]["value"] = "110000.00"
    rest = {key: value for key, value in said.items() if key != "sha256"}
    said["sha256"] = fingerprint(canonical_json(rest))
    assert not services.replay(canonical_json(said)).is_in_log
