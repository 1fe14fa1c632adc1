"""A draw from the frozen lists to the public result: the order, the refusals, and the checks."""

import json
import random
import subprocess
import sys
import zipfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from getihu.audit import services as audit
from getihu.supervision import selectors, services, verify_draw
from getihu.supervision.contracts import PlanState
from getihu.supervision.models import Conflict, Inspector, Plan, Visit
from tests.supervision.conftest import AT, DICE, LUCHENG, code, drawn, enter, later, make, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(planned, chief, witness) -> Plan:
    services.declare_conflict("LC-001", code(3), "亲属", by=chief, at=AT)
    drawn(planned, chief, witness)
    audit.sequence(later(40))
    return Plan.objects.get(pk=planned)


@pytest.fixture
def files(published) -> dict[str, str]:
    return selectors.dossier(published)


def test_the_dossier_holds_and_a_program_of_its_own_says_so(published, files, tmp_path):
    assert set(files) == set(selectors.DOSSIER_FILES)
    told = verify_draw.verify(files)
    assert told["about"]["number"] == published.number == f"{LUCHENG}-GENERAL-2027-001"
    with zipfile.ZipFile(tmp_path / "draw.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    program = tmp_path / "verify_draw.py"
    program.write_text(Path(verify_draw.__file__).read_text("utf-8"), "utf-8")
    command = [sys.executable, "-I", str(program), str(tmp_path / "draw.zip")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("成立"), done.stdout + done.stderr
    assert len(program.read_text("utf-8").splitlines()) <= 200


def test_quotas_are_reached_teams_are_qualified_and_conflicts_are_kept(published, files):
    told = json.loads(published.commitment)
    for stratum in told["strata"]:
        lines = [r for r in files["result.csv"].splitlines() if r.startswith(stratum["name"])]
        assert len(lines) == stratum["size"] > 0
    for visit in Visit.objects.all():
        assert len(set(visit.team)) == 2
        assert not Conflict.objects.filter(
            inspector__number__in=visit.team, trader_code=visit.trader_code
        ).exists()
    assert Visit.objects.count() == published.drawn_count == files["result.csv"].count("\n")


def test_nobody_of_the_register_is_missing(files, county):
    register = {row["trader_code"] for row in county if row["county_code"] == LUCHENG}
    listed = [
        r.split(",")[0] for n in ("frame", "excluded") for r in files[f"{n}.csv"].splitlines()
    ]
    assert sorted(listed) == sorted(register)
    assert "not_registered" in files["excluded.csv"]


def flipped(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text))
    other = dice.choice([c for c in "0123456789ABCabc,\n" if c != text[at]])
    return text[:at] + other + text[at + 1 :]


def tampered(files: dict[str, str], dice: random.Random) -> dict[str, str]:
    """A dossier changed in one place: a letter, a line lost, added, doubled or moved."""
    made = dict(files)
    name = dice.choice([n for n in files if n != "log.json" and files[n]])
    lines = made[name].splitlines(keepends=True)
    way = dice.randrange(5)
    if way == 0 or len(lines) < 2:
        made[name] = flipped(made[name], dice)
    elif way == 1:
        made[name] = "".join(lines[:-1])
    elif way == 2:
        made[name] = made[name] + dice.choice(lines)
    elif way == 3:
        lines.insert(dice.randrange(len(lines)), dice.choice(lines))
        made[name] = "".join(lines)
    else:
        first, second = dice.sample(range(len(lines)), 2)
        lines[first], lines[second] = lines[second], lines[first]
        made[name] = "".join(lines)
    return made


def refused(files: dict[str, str]) -> bool:
    try:
        verify_draw.verify(files)
    except verify_draw.DoesNotHold:
        return True
    return False


def tamper(files: dict[str, str], times: int) -> int:
    dice, caught, tried = random.Random(8), 0, 0
    while tried < times:
        made = tampered(files, dice)
        if made != files:
            tried += 1
            caught += refused(made)
    return caught


def test_every_tampered_dossier_is_refused(files):
    assert tamper(files, 300) == 300


@pytest.mark.scale
def test_ten_thousand_tampered_dossiers_are_refused(files):
    assert tamper(files, 10_000) == 10_000


def test_control_without_drawing_again_a_changed_result_would_pass(files, monkeypatch):
    made = dict(files, **{"result.csv": files["result.csv"].replace(",1,", ",2,", 1)})
    assert refused(made)
    monkeypatch.setattr(verify_draw, "draw", lambda f, told, seed: f["result.csv"])
    monkeypatch.setattr(verify_draw, "check_log", lambda *told: None)
    assert not refused(made)


def test_a_log_in_another_order_is_refused(files):
    entries = json.loads(files["log.json"])
    lost = [e for e in entries if '"draw.seeded"' not in e["record"]]
    assert refused(dict(files, **{"log.json": json.dumps(lost)}))
    twice = [*entries, next(e for e in entries if '"draw.drawn"' in e["record"])]
    assert refused(dict(files, **{"log.json": json.dumps(twice)}))
    seeded = next(e for e in entries if '"draw.seeded"' in e["record"])
    early = [
        dict(e, proof=seeded["proof"]) if '"draw.drawn"' in e["record"] else e for e in entries
    ]
    assert refused(dict(files, **{"log.json": json.dumps(early)}))


def forged(files: dict[str, str], kind: str, at: datetime) -> dict[str, str]:
    """The same dossier with one entry of the log told of another moment, sealed anew."""
    entries = json.loads(files["log.json"])
    for entry in entries:
        event = json.loads(entry["record"])
        if event["kind"] == kind:
            entry["record"] = json.dumps(event | {"at": at.isoformat()})
            sealed = b"getihu.audit/v1\n" + bytes.fromhex(entry["salt"]) + entry["record"].encode()
            entry["commitment"] = sha256(sealed).hexdigest()
    return dict(files, **{"log.json": json.dumps(entries)})


@pytest.mark.parametrize(
    ("kind", "minutes", "why"),
    [
        ("draw.committed", 30, "先后"),  # the dice may have fallen already
        ("draw.seeded", 29, "先后"),
        ("draw.seeded", 120, "备用"),  # the beacon's time had begun
        ("draw.drawn", 30, "先后"),
    ],
)
def test_a_step_outside_its_agreed_time_is_refused(files, monkeypatch, kind, minutes, why):
    order = iter(range(9))
    monkeypatch.setattr(verify_draw, "included", lambda proof, commitment: next(order))
    verify_draw.verify(forged(files, "no.such", later(0)))  # untouched it holds
    if kind == "draw.seeded" and minutes > 32:
        files = forged(files, "draw.drawn", later(minutes + 1))
    with pytest.raises(verify_draw.DoesNotHold, match=why):
        verify_draw.verify(forged(files, kind, later(minutes)))


def test_each_step_waits_for_the_one_before(planned, chief, witness, clerk):
    with pytest.raises(services.NotNow):
        enter(planned, chief, witness, 31)
    with pytest.raises(services.NotNow):
        services.draw_plan(planned, by=chief, at=later(31))
    with pytest.raises(services.NotNow, match="不能再冻结"):
        services.commit_plan(planned, by=chief, at=later(30))
    services.commit_plan(planned, by=chief, at=later(29))
    with pytest.raises(services.NotNow, match="太早"):
        enter(planned, chief, witness, 29)
    for nobody in (chief, clerk):
        with pytest.raises(services.NotNow, match="见证人"):
            enter(planned, chief, nobody, 31)
    with pytest.raises(services.CannotDraw, match="写法不对"):
        enter(planned, chief, witness, 31, "7" * 25)


def test_once_chance_may_be_known_nothing_is_taken_back(planned, chief):
    services.commit_plan(planned, by=chief, at=later(1))
    with pytest.raises(services.NotNow, match="挑结果"):
        services.cancel_plan(planned, reason="不喜欢", by=chief, at=later(30))
    services.cancel_plan(planned, reason="日期定错了", by=chief, at=later(29))
    assert Plan.objects.get(pk=planned).state == PlanState.CANCELLED


def test_a_plan_is_drawn_once_whoever_asks_again(published, chief, witness):
    before = published.result_sha256
    assert services.draw_plan(published.pk, by=chief, at=later(90)) == published.drawn_count
    with pytest.raises(services.NotNow):
        enter(published.pk, chief, witness, 90, DICE[::-1])
    with pytest.raises(services.NotNow, match="挑结果"):
        services.cancel_plan(published.pk, reason="不喜欢", by=chief, at=later(90))
    assert Plan.objects.get(pk=published.pk).result_sha256 == before


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "another"},
        {"commitment": "another"},
        {"result_sha256": "b" * 64},
        {"state": PlanState.SEEDED},
        {"state": PlanState.DRAFT},
        {"rates": {}},
        {"team": 3},
        {"chance_digits": "1" * 30},
    ],
)
def test_the_database_itself_refuses_to_change_a_draw(published, change):
    with pytest.raises(DatabaseError), transaction.atomic():
        Plan.objects.filter(pk=published.pk).update(**change)


def test_the_database_refuses_a_seed_before_the_commitment(planned):
    with pytest.raises(DatabaseError), transaction.atomic():
        Plan.objects.filter(pk=planned).update(state=PlanState.SEEDED, seed="x", seeded_at=AT)
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        Plan.objects.filter(pk=planned).update(state=PlanState.DRAWN)


def test_when_the_dice_do_not_fall_the_written_fallback_takes_their_place(planned, chief, witness):
    services.commit_plan(planned, by=chief, at=later(1))
    beacon = "0123456789abcdef" * 4
    with pytest.raises(services.CannotDraw):
        enter(planned, chief, witness, 119, beacon)  # the dice still may fall
    with pytest.raises(services.CannotDraw):
        enter(planned, chief, witness, 120)  # too late for them: nobody chooses
    enter(planned, chief, witness, 120, beacon)
    services.draw_plan(planned, by=chief, at=later(121))
    services.publish_plan(planned, by=chief, at=later(122))
    audit.sequence(later(123))
    verify_draw.verify(selectors.dossier(Plan.objects.get(pk=planned)))


def test_until_it_is_published_nobody_outside_reads_who_was_drawn(planned, chief, witness):
    services.commit_plan(planned, by=chief, at=later(1))
    enter(planned, chief, witness, 31)
    services.draw_plan(planned, by=chief, at=later(32))
    plan = Plan.objects.get(pk=planned)
    assert "result.csv" not in selectors.dossier(plan)
    owner = operator(Visit.objects.first().trader_code)
    assert selectors.list_visits_of(Visit.objects.first().trader_code, actor=owner) == []
    services.publish_plan(planned, by=chief, at=later(33))
    assert len(selectors.list_visits_of(Visit.objects.first().trader_code, actor=owner)) == 1


def test_whoever_cannot_be_visited_stops_the_plan_before_chance_is_known(planned, chief):
    for n in range(5):
        services.declare_conflict(f"LC-{n:03}", code(3), "亲属", by=chief, at=AT)
    with pytest.raises(services.CannotDraw, match=code(3)):
        services.commit_plan(planned, by=chief, at=later(1))
    assert Plan.objects.get(pk=planned).state == PlanState.DRAFT


def test_only_a_supervisor_of_the_county_s_office_plans_and_draws(county, clerk, chief):
    with pytest.raises(services.NotAllowed):
        make(clerk)
    plan = make(chief)
    with pytest.raises(services.NotAllowed):
        services.commit_plan(plan, by=clerk, at=later(1))


def test_food_draws_from_the_trade_and_the_qualified_alone(county, chief, witness):
    plan = make(chief, field_id="food")
    drawn(plan, chief, witness)
    assert "food" not in Inspector.objects.get(number="LC-000").qualifications
    assert not any("LC-000" in visit.team for visit in Visit.objects.all())
    files = selectors.dossier(Plan.objects.get(pk=plan))
    assert "other_trade" not in files["excluded.csv"]  # 521 and 62 are both of the trade
