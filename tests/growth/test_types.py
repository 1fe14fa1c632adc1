"""The types of a whole city: one each, told before they change, published after objections."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from getihu.audit.models import Event
from getihu.cases import services as cases
from getihu.dataplane import selectors as dataplane
from getihu.growth import selectors, services
from getihu.growth.catalogue.settling import THREE
from getihu.growth.models import TypeMove, TypeReview
from getihu.growth.selectors.types import types_path
from getihu.growth.services.reviewing import read_types
from getihu.notifications.models import Notice
from tests.growth.conftest import AT, AUTUMN, SUMMER, days, operator, publish_summer

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(city) -> TypeReview:
    """A review of the autumn, told; one mover has an account."""
    publish_summer()
    services.review_types(as_of=AUTUMN, at=AT)
    return TypeReview.objects.get(as_of=AUTUMN)


def over(review: TypeReview):
    return AT + timedelta(days=(review.object_until - AT.date()).days + 1)


def test_everybody_on_the_register_has_exactly_one_type(city):
    publish_summer()
    review = selectors.last_published()
    table = read_types(review)
    facts = dataplane.engine().execute(
        "SELECT count(*), count(DISTINCT trader_code) FROM read_parquet(?)",
        [str(dataplane.facts_path(SUMMER))],
    )
    rows, traders = facts.fetchone()
    codes = table["trader_code"].to_pylist()
    assert len(codes) == len(set(codes)) == rows == traders
    types = set(table["type"].to_pylist())
    assert types >= set(THREE[:2])
    assert all(t in THREE or t.startswith("not_typed_") for t in types)
    page = selectors.get_types_page()
    assert sum(share.count or 0 for share in page.shares) <= page.total == rows


def test_the_first_review_moves_nobody(city):
    report = services.review_types(as_of=SUMMER, at=AT)
    assert (report.moved, report.told) == (0, 0)


def test_movers_are_told_and_nothing_changes_before_the_days_are_over(told):
    move = told.moves.order_by("trader_code").first()
    before = selectors.type_of(move.trader_code)
    assert before[0] == move.before
    assert services.publish_types(at=AT) is None
    assert services.publish_types(at=over(told) - timedelta(days=1)) is None
    assert services.publish_types(at=over(told)).pk == told.pk
    assert selectors.type_of(move.trader_code)[0] == move.after
    assert selectors.type_of(move.trader_code, SUMMER)[0] == move.before  # at any date


def test_a_mover_with_an_account_is_told_the_values_used(city):
    publish_summer()
    probe = _autumn_movers()
    owner = operator(probe[0])
    services.review_types(as_of=AUTUMN, at=AT)
    notice = Notice.objects.get(recipient=owner.account_id, channel="in_app")
    assert "用到的数据：" in notice.text
    assert "提异议" in notice.text
    assert notice.text.split("用到的数据：")[1].split("。")[0]


def _autumn_movers() -> list[str]:
    """Who would move, found by a review that is taken back."""
    with transaction.atomic():
        services.review_types(as_of=AUTUMN, at=AT)
        codes = list(TypeMove.objects.order_by("trader_code").values_list("trader_code", flat=True))
        transaction.set_rollback(True)
    return codes


def test_an_objection_opens_a_case_and_holds_her_type(told, clerk):
    move = told.moves.order_by("trader_code").first()
    owner = operator(move.trader_code)
    case = services.object_to(
        f"move:{move.pk}", move.trader_code, "参保人数不对", place="330302001", by=owner, at=AT
    )
    move.refresh_from_db()
    assert (move.state, move.case_id) == ("held", case)
    services.publish_types(at=over(told))
    assert selectors.type_of(move.trader_code)[0] == move.before
    cases.accept(case, by=clerk, at=days(20))
    cases.finish_stage(case, "check", passed=True, by=clerk, at=days(21))
    move.refresh_from_db()
    assert move.state == "dropped"


def test_an_objection_turned_down_lets_the_move_stand(told, clerk):
    move = told.moves.order_by("trader_code").first()
    owner = operator(move.trader_code)
    case = services.object_to(
        f"move:{move.pk}", move.trader_code, "不同意", place="330302001", by=owner, at=AT
    )
    cases.accept(case, by=clerk, at=days(1))
    cases.finish_stage(
        case, "check", passed=False, reason="数据无误", article="总体方案", by=clerk, at=days(2)
    )
    services.publish_types(at=over(told))
    assert selectors.type_of(move.trader_code)[0] == move.after


def test_nobody_objects_for_another(told):
    move = told.moves.order_by("trader_code").first()
    stranger = operator("92330302MA2ECR1A0J")
    with pytest.raises(services.NotNow, match="不是您的"):
        services.object_to(
            f"move:{move.pk}",
            "92330302MA2ECR1A0J",
            "x",
            place="330302001",
            by=stranger,
            at=AT,
        )


def test_one_review_at_a_time_and_forward_only(told):
    with pytest.raises(services.NotNow, match="还在异议期"):
        services.review_types(as_of=AUTUMN, at=days(1))
    services.publish_types(at=over(told))
    with pytest.raises(services.NotNow, match="已经评过"):
        services.review_types(as_of=AUTUMN, at=days(30))


def test_a_review_is_made_again_to_the_same_bytes_and_its_hash_is_in_the_log(told):
    assert services.verify_types(told.pk)
    services.publish_types(at=over(told))
    told.refresh_from_db()
    record = Event.objects.get(kind="type_review.published", object_ref=f"type_review:{told.pk}")
    assert told.published_sha256.encode() in bytes(record.record)


def test_a_file_somebody_changed_is_not_read(told):
    path = types_path(told.pk, published=False)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(services.NotNow, match="指纹"):
        services.publish_types(at=over(told))


def test_the_database_refuses_to_change_a_published_review(told):
    with pytest.raises(DatabaseError), transaction.atomic():
        TypeReview.objects.filter(pk=told.previous_id).update(published_sha256="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        TypeMove.objects.filter(review=told).update(after="developing")
    with pytest.raises(IntegrityError), transaction.atomic():
        TypeMove.objects.filter(review=told).update(state="dropped")  # by no case


def test_pools_follow_what_is_published_and_write_only_who_moved(told):
    services.update_pools(at=AT, pool_ids=["type_surviving", "type_growing", "type_developing"])
    services.publish_types(at=over(told))
    moves = list(told.moves.values_list("before", "after"))
    arrived = {t: sum(1 for _, after in moves if after == t) for t in THREE}
    left = {t: sum(1 for before, _ in moves if before == t) for t in THREE}
    new, elsewhere = _newcomers(told), _county_changed(told)
    for report in services.update_pools(at=days(40), pool_ids=[f"type_{t}" for t in THREE]):
        type_ = report.pool_id.removeprefix("type_")
        assert report.entered == arrived[type_] + new[type_]
        assert report.left == left[type_]
        assert report.written == report.entered + 2 * report.left + 3 * elsewhere[type_]


def _newcomers(told: TypeReview) -> dict[str, int]:
    before = set(read_types(told.previous)["trader_code"].to_pylist())
    told.refresh_from_db()
    rows = read_types(told).to_pylist()
    return {
        t: sum(1 for r in rows if r["type"] == t and r["trader_code"] not in before) for t in THREE
    }


def _county_changed(told: TypeReview) -> dict[str, int]:
    before = {r["trader_code"]: r for r in read_types(told.previous).to_pylist()}
    same = [
        (r, before[r["trader_code"]])
        for r in read_types(told).to_pylist()
        if r["trader_code"] in before
    ]
    return {
        t: sum(
            1 for r, b in same
            if r["type"] == b["type"] == t and r["county_code"] != b["county_code"]
        )
        for t in THREE
    }  # fmt: skip


def test_a_small_flow_cannot_be_worked_out_from_the_others():
    counts = {("a", "a"): 500, ("a", "b"): 3, ("b", "b"): 100, ("c", "a"): 40, ("c", "c"): 60}
    hidden = selectors.hide_flows(counts)
    assert ("a", "b") in hidden
    for side in (0, 1):
        for type_ in "abc":
            beside = [pair for pair in counts if pair[side] == type_]
            assert len([pair for pair in beside if pair in hidden]) != 1 or len(beside) == 1


def test_thresholds_may_differ_by_county_and_year():
    """The rulebook's own parameters carry it; shown here on the rule of the types."""
    from getihu.rulebook import selectors as rulebook

    text, cases_text = rulebook.texts_of(rulebook.TYPE_RULE_ID)
    usual = (
        "    value: 300000\n    unit: yuan\n"
        "    source: 本项目设定，非官方；借用增值税按季起征点30万元（公告2026年第10号）作全年下限\n"
    )
    assert usual in text
    by = (
        "    unit: yuan\n    source: 本项目设定，非官方\n    by:\n"
        '      - {region: "330329", from: 2026-01-01, value: 200000, source: 本项目设定，非官方}\n'
        "      - {from: 2024-01-12, value: 300000, source: 本项目设定，非官方}\n"
    )
    checked = rulebook.check_text(text.replace(usual, by), cases_text)
    assert not checked.problems, checked.problems
