"""Reads of the types: of one trader or the whole city, at any date."""

import hashlib
import uuid
from collections import defaultdict
from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.dataplane import selectors as dataplane
from getihu.growth.catalogue.settling import THREE, UNKNOWN
from getihu.growth.contracts import Flow, MissingCount, MoveView, ReviewView, TypeShare, TypesPage
from getihu.growth.models import TypeMove, TypeReview
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

TYPE_RULE = rulebook.TYPE_RULE_ID
FEWEST = 10  # 本项目设定，非官方: a smaller cell would single people out
NOT_THERE = "not_there"
CITY_CODE = "330300"


class NoTypesYet(GetihuError):
    """No review of the types is published for the date asked."""

    exit_code = 3


def type_label(type_: str) -> str:
    """What a type is called."""
    if type_ == UNKNOWN:
        return "未纳入：部门数据没有送到"
    if type_ == NOT_THERE:
        return "新登记"
    labels = dict(rulebook.get_rule(TYPE_RULE).values)
    return labels.get(type_, type_)


def types_path(review_id: uuid.UUID | str, *, published: bool = True) -> Path:
    """The file of a review: a row per trader, ``trader_code, county_code, section, raw, type,
    towards, streak, unknowns``, sorted by code."""
    ending = "published" if published else "proposed"
    return Path(settings.DATA_DIR) / "growth" / "types" / f"{review_id}.{ending}.parquet"


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def last_published(on: date | None = None) -> TypeReview | None:
    """The published review that counts on a day (by default the newest)."""
    found = TypeReview.objects.filter(state=TypeReview.State.PUBLISHED)
    if on is not None:
        found = found.filter(as_of__lte=on)
    return found.order_by("-as_of").first()


def list_reviews(limit: int = 20) -> list[ReviewView]:
    """Reviews, the newest first."""
    return [_view(row) for row in TypeReview.objects.order_by("-as_of")[:limit]]


def type_of(trader_code: str, on: date | None = None) -> tuple[str, str, date] | None:
    """A trader's published type on a day: its name, its label, the day of the review; None when
    no review was published by then or she was not on the register."""
    review = last_published(on)
    if review is None:
        return None
    row = (
        dataplane.engine()
        .execute(
            "SELECT type FROM read_parquet(?) WHERE trader_code = ?",
            [str(types_path(review.pk)), trader_code],
        )
        .fetchone()
    )
    return (row[0], type_label(row[0]), review.as_of) if row else None


def get_types_page(county_code: str = "", on: date | None = None) -> TypesPage:
    """Types of a county, or of the city, as published by a day, with the flows since the review
    before and whose data are missing. Cells under ``FEWEST`` are held back. Raises NoTypesYet.
    Cost: some passes over one file."""
    review = last_published(on)
    if review is None:
        raise NoTypesYet(
            "分型还没有公布过。处理办法：由市场监管部门运行 getihu types review，异议期满后公布。"
        )
    return _page(review.pk, county_code if county_code != CITY_CODE else "")


@lru_cache(maxsize=64)
def _page(review_id: uuid.UUID, county_code: str) -> TypesPage:
    review = TypeReview.objects.select_related("previous").get(pk=review_id)
    counts = _counts(review, county_code)
    total = sum(counts.values())
    previous = review.previous
    return TypesPage(
        county_code=county_code or CITY_CODE,
        county_name=reference.division_name(county_code or CITY_CODE) or "",
        review=_view(review),
        previous=_view(previous) if previous else None,
        total=total,
        shares=tuple(
            TypeShare(type_, type_label(type_), type_ in THREE, _told(n), n / total if total else 0)
            for type_, n in sorted(counts.items(), key=lambda pair: _order(pair[0]))
        ),
        flows=_flows(review, previous, county_code) if previous else (),
        missing=_missing(review, county_code),
    )


def _counts(review: TypeReview, county_code: str) -> dict[str, int]:
    found = dataplane.engine().execute(
        "SELECT type, count(*) FROM read_parquet($path)"
        " WHERE $county = '' OR county_code = $county GROUP BY type",
        {"path": str(types_path(review.pk)), "county": county_code},
    )
    return dict(found.fetchall())


def _flows(review: TypeReview, previous: TypeReview, county_code: str) -> tuple[Flow, ...]:
    found = dataplane.engine().execute(
        f"SELECT coalesce(b.type, '{NOT_THERE}'), n.type, count(*)"
        " FROM read_parquet($now) n LEFT JOIN read_parquet($before) b USING (trader_code)"
        " WHERE $county = '' OR n.county_code = $county GROUP BY ALL",
        {
            "now": str(types_path(review.pk)),
            "before": str(types_path(previous.pk)),
            "county": county_code,
        },
    )
    rows = sorted(found.fetchall(), key=lambda row: (_order(row[0]), _order(row[1])))
    hidden = hide_flows({(b, a): n for b, a, n in rows})
    return tuple(
        Flow(b, type_label(b), a, type_label(a), None if (b, a) in hidden else n)
        for b, a, n in rows
    )


def hide_flows(counts: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """The flows that are too small to tell, and those one would work them out from: where a single
    one is hidden on a side, the smallest beside it is hidden too."""
    hidden = {pair for pair, n in counts.items() if n < FEWEST}
    while True:
        alone = set()
        for side in (0, 1):
            for type_ in {pair[side] for pair in hidden}:
                beside = [pair for pair in counts if pair[side] == type_]
                told = [pair for pair in beside if pair not in hidden]
                if len(beside) - len(told) == 1 and told:
                    alone.add(min(told, key=lambda pair: (counts[pair], pair)))
        if not alone:
            return hidden
        hidden |= alone


def _missing(review: TypeReview, county_code: str) -> tuple[MissingCount, ...]:
    """Whose data are missing where the rule could not say: per department of the rule's facts."""
    rule = rulebook.get_rule(TYPE_RULE, review.as_of)
    catalogue = dataplane.fact_catalogue()
    by_department: dict[str, list[str]] = defaultdict(list)
    for name in rule.facts:
        if name in catalogue:
            by_department[catalogue[name].department].append(name)
    columns = ", ".join(
        "count(*) FILTER ({})".format(" OR ".join(f'f."{name}" IS NULL' for name in names))
        for names in by_department.values()
    )
    row = (
        dataplane.engine()
        .execute(
            f"SELECT {columns} FROM read_parquet($types) t JOIN read_parquet($facts) f"
            " USING (trader_code) WHERE (t.raw = 'unknown' OR t.raw IS NULL)"
            " AND ($county = '' OR t.county_code = $county)",
            {
                "types": str(types_path(review.pk)),
                "facts": str(dataplane.facts_path(review.as_of, review.snapshot_id)),
                "county": county_code,
            },
        )
        .fetchone()
    )
    assert row is not None
    found = [
        MissingCount(
            department,
            reference.department_name(department),
            "、".join(catalogue[name].label for name in names),
            _told(count),
        )
        for (department, names), count in zip(by_department.items(), row, strict=True)
        if count
    ]
    return tuple(sorted(found, key=lambda each: -(each.count or 0)))


def list_moves_of(trader_code: str, limit: int = 20) -> list[MoveView]:
    """A trader's moves of type, the newest first."""
    rows = TypeMove.objects.filter(trader_code=trader_code).select_related("review")
    return [_move(row) for row in rows.order_by("-id")[:limit]]


def list_moves(actor: Actor, *, limit: int = 200) -> list[MoveView]:
    """Moves that are still open, in the counties an officer tends."""
    scope = actor.scope(Role.CASE_OFFICER, Role.SUPERVISOR)
    rows = TypeMove.objects.filter(
        within(scope, "county_code"), state__in=("told", "held")
    ).select_related("review")
    return [_move(row) for row in rows.order_by("-state", "id")[:limit]]


def count_moves(actor: Actor) -> dict[str, int]:
    """Open moves by state in the counties an officer tends."""
    scope = actor.scope(Role.CASE_OFFICER, Role.SUPERVISOR)
    rows = TypeMove.objects.filter(within(scope, "county_code"))
    return {state: rows.filter(state=state).count() for state in ("told", "held")}


def get_move(move_id: int) -> MoveView | None:
    row = TypeMove.objects.filter(pk=move_id).select_related("review").first()
    return _move(row) if row else None


@over_the_wall()
def type_move_is(argument: str) -> bool:
    """Whether a move is in a state, asked again before a notice goes. ``argument``: id state."""
    number, _, state = argument.partition(" ")
    return TypeMove.objects.select_for_update().filter(pk=number, state=state).exists()


def _move(row: TypeMove) -> MoveView:
    return MoveView(
        id=row.pk,
        trader_code=row.trader_code,
        county_code=row.county_code,
        before_label=type_label(row.before),
        after_label=type_label(row.after),
        state=row.state,
        state_label=TypeMove.State(row.state).label,
        as_of=row.review.as_of,
        snapshot_id=row.review.snapshot_id,
        object_until=row.review.object_until,
        case_id=row.case_id,
    )


@over_the_wall()
def _view(row: TypeReview) -> ReviewView:
    return ReviewView(
        id=row.pk,
        as_of=row.as_of,
        state=row.state,
        state_label=TypeReview.State(row.state).label,
        traders_count=row.traders_count,
        moved_count=row.moved_count,
        object_until=row.object_until,
        published_at=row.published_at,
        sha256=row.published_sha256 or row.proposed_sha256,
        rule_version=row.rule_version,
        held_count=row.moves.filter(state=TypeMove.State.HELD).count(),
    )


def _told(count: int) -> int | None:
    return count if count >= FEWEST or count == 0 else None


def _order(type_: str) -> tuple[int, str]:
    return (THREE.index(type_) if type_ in THREE else len(THREE), type_)
