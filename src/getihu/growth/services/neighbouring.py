"""The quarter's edition of neighbours: files of their own, made once, never changed."""

import json
import os
import tempfile
from datetime import date
from pathlib import Path

from getihu.dataplane import selectors as dataplane
from getihu.growth.neighbours.cells import Member, divide, keep_quiet, member
from getihu.growth.selectors.neighbours import Edition, editions_folder, read_edition

QUERY = """
    select trader_code, industry_code, county_code, town_code,
           annual_employees, premises_m2, registered_months
    from read_parquet($path) where registration_status = 'active'
"""


def edition_of(day: date) -> str:
    """2026Q4."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def make_edition(on: date) -> str | None:
    """Make the edition of the quarter ``on`` lies in from the newest facts; None: it is there.

    Raises: NothingPublished, FactsNotBuilt. Cost: one row in memory for each trader that trades.
    """
    name = edition_of(on)
    target = editions_folder() / f"{name}.json"
    if target.exists():
        return None
    as_of = dataplane.get_published_snapshot().data_until
    found = dataplane.engine().execute(QUERY, {"path": str(dataplane.facts_path(as_of))})
    names = [column[0] for column in found.description or []]
    members = [member(dict(zip(names, row, strict=True))) for row in found.fetchall()]
    _write(target, _next(name, as_of, members, read_edition(before=name)))
    return name


def _next(name: str, as_of: date, members: list[Member], before: Edition | None) -> Edition:
    said = keep_quiet(
        divide(members), before.spoken_of if before else {}, before.cells if before else {}
    )
    cells = {key: cell for key, (cell, _, _) in said.items()}
    held = {key for key, (_, is_held, _) in said.items() if is_held}
    spoken_of = {key: who for key, (_, _, who) in said.items()}
    placed = {m.trader_code: key for key, group in divide(members).items() for m in group}
    return Edition(name, as_of, cells, held, spoken_of, placed)


def _write(target: Path, edition: Edition) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".edition-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(edition.plain(), file, ensure_ascii=False)
    Path(name).replace(target)
