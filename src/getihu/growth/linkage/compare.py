"""Comparisons of a record with a trader, as SQL for DuckDB.

Fellegi and Sunter (1969): each comparison has levels; a level speaks for a match by the logarithm
of how often matches show it to how often others do. A side that is empty says nothing (level −1).
Both relations have: id, name, county_code, town_code, industry_code, established_on, premises_m2.
"""

from dataclasses import dataclass
from typing import Final

import duckdb


@dataclass(frozen=True)
class Comparison:
    """One comparison: the cases of its levels from best (0) on, and the words of each."""

    name: str
    label: str
    known: str
    levels: tuple[tuple[str, str], ...]  # condition, words; the last is everything else

    def sql(self) -> str:
        cases = " ".join(f"WHEN {when} THEN {n}" for n, (when, _) in enumerate(self.levels[:-1]))
        last = len(self.levels) - 1
        return f"CASE WHEN NOT ({self.known}) THEN -1 {cases} ELSE {last} END AS {self.name}"


COMPARISONS: Final = (
    Comparison(
        "name",
        "名称",
        "l.plain <> '' AND r.plain <> ''",
        (
            ("l.plain = r.plain", "名称一样"),
            ("jaro_winkler_similarity(l.plain, r.plain) >= 0.92", "名称只差一两个字"),
            ("jaro_winkler_similarity(l.plain, r.plain) >= 0.80", "名称相像"),
            ("", "名称不同"),
        ),
    ),
    Comparison(
        "place",
        "地方",
        "l.county_code IS NOT NULL AND r.county_code IS NOT NULL",
        (
            ("l.town_code = r.town_code", "同一个乡镇街道"),
            (
                "l.county_code = r.county_code AND (l.town_code IS NULL OR r.town_code IS NULL)",
                "同一个县，乡镇没有写",
            ),
            ("l.county_code = r.county_code", "同一个县，乡镇不同"),
            ("", "不在一个县"),
        ),
    ),
    Comparison(
        "trade",
        "行业",
        "l.industry_code IS NOT NULL AND r.industry_code IS NOT NULL",
        (
            ("l.industry_code = r.industry_code", "行业小类一样"),
            ("l.industry_code[:2] = r.industry_code[:2]", "行业大类一样"),
            ("", "行业不同"),
        ),
    ),
    Comparison(
        "opened",
        "开业日期",
        "l.established_on IS NOT NULL AND r.established_on IS NOT NULL",
        (
            ("l.established_on = r.established_on", "同一天开业"),
            ("abs(l.established_on - r.established_on) <= 31", "开业相差一个月以内"),
            ("year(l.established_on) = year(r.established_on)", "同一年开业"),
            ("", "开业不在同一年"),
        ),
    ),
    Comparison(
        "area",
        "面积",
        "l.premises_m2 IS NOT NULL AND r.premises_m2 IS NOT NULL",
        (
            ("l.premises_m2 = r.premises_m2", "面积一样"),
            ("abs(l.premises_m2 - r.premises_m2) <= 0.05 * r.premises_m2", "面积差不多"),
            ("abs(l.premises_m2 - r.premises_m2) <= 0.25 * r.premises_m2", "面积相近"),
            ("", "面积不同"),
        ),
    ),
)
# Pairs worth comparing: any of these. Beyond them nothing is looked at. Each is an equality of
# columns, so that it is a hash join; none may grow with the city's size alone.
BLOCKS: Final = (
    "l.plain = r.plain AND l.county_code = r.county_code",
    "l.plain = r.plain AND r.same <= 200",  # a name half the city bears finds nobody
    "l.town_code = r.town_code AND l.division = r.division AND l.opened_year = r.opened_year",
    "l.town_code = r.town_code AND l.begins = r.begins",
    "l.established_on = r.established_on AND l.county_code = r.county_code",
    "l.county_code = r.county_code AND l.begins = r.begins AND l.division = r.division",
    "l.county_code = r.county_code AND l.begins = r.begins AND l.opened_year = r.opened_year",
)
# What says little in a name: the place before it, the form behind it, brackets and blanks.
PLAIN: Final = (
    "regexp_replace(regexp_replace(coalesce(name, ''), '[\\s()（）·]', '', 'g'),"
    " '^(浙江省?)?(温州市?)?(.{2}(区|县|市))?', '')"
)


# Names given to the temporary tables of one comparison.
RECORDS: Final = "linkage_records"
TRADERS: Final = "linkage_traders"
PAIRS: Final = "linkage_pairs"
RANDOM: Final = "linkage_random_pairs"
RANDOM_PAIRS: Final = 200_000


def compare_records(engine: duckdb.DuckDBPyConnection, records: str, traders: str) -> None:
    """Compare two relations: puts the tables ``RECORDS``, ``TRADERS``, ``PAIRS`` and ``RANDOM`` in the
    place of those of an earlier comparison. ``PAIRS`` has every candidate pair with its levels
    (grain: record × trader, once), ``RANDOM`` the levels of pairs taken at random, nearly all of
    them no match; the same each time. Cost: each candidate pair once."""
    for table, relation in ((RECORDS, records), (TRADERS, traders)):
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {_prepared(relation)}")
    levels = ", ".join(each.sql() for each in COMPARISONS)
    found = " UNION ".join(
        f"SELECT l.n AS record, r.n AS trader FROM {RECORDS} l JOIN {TRADERS} r ON {block}"
        for block in BLOCKS
    )
    for table, pairs in ((PAIRS, found), (RANDOM, _random_pairs(engine))):
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT record, trader, {levels}"
            f" FROM ({pairs}) JOIN {RECORDS} l ON l.n = record JOIN {TRADERS} r ON r.n = trader"
        )


def _prepared(relation: str) -> str:
    """A relation numbered, its names made plain, with what the blocks ask for."""
    return (
        f"WITH plainly AS (SELECT *, {PLAIN} AS plain FROM {relation})"
        " SELECT *, row_number() OVER (ORDER BY hash(id), id) - 1 AS n,"
        " nullif(plain[:2], '') AS begins, industry_code[:2] AS division,"
        " year(established_on) AS opened_year, count(*) OVER (PARTITION BY plain) AS same"
        " FROM plainly"
    )


def _random_pairs(engine: duckdb.DuckDBPyConnection) -> str:
    """Numbers of pairs at random: both relations are numbered in the order of a hash, and walked
    through at two different paces."""
    many = [
        engine.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in (RECORDS, TRADERS)
    ]
    left, right = (max(each, 1) for each in many)
    return (
        f"SELECT (k * 7919) % {left} AS record, (k * 104729 + k // {left}) % {right} AS trader"
        f" FROM range({min(RANDOM_PAIRS, left * right)}) AS pair(k)"
    )
