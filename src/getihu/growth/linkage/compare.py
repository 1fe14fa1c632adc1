"""Comparisons of a record with a trader, as SQL for DuckDB.

Fellegi and Sunter (1969): each comparison has levels; a level speaks for a match by the logarithm
of how often matches show it to how often others do. A side that is empty says nothing (level −1).
Both relations have: id, name, county_code, town_code, industry_code, established_on, premises_m2.
"""

from dataclasses import dataclass
from typing import Final


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
            ("abs(l.premises_m2 - r.premises_m2) <= 0.05 * r.premises_m2", "面积一样"),
            ("abs(l.premises_m2 - r.premises_m2) <= 0.25 * r.premises_m2", "面积相近"),
            ("", "面积不同"),
        ),
    ),
)
# Pairs worth comparing: any of these. Beyond them nothing is looked at.
BLOCKS: Final = (
    "l.plain = r.plain",
    "l.town_code = r.town_code AND l.industry_code[:2] = r.industry_code[:2]",
    "l.established_on = r.established_on AND l.county_code = r.county_code",
    "l.county_code = r.county_code AND l.plain[:2] = r.plain[:2]",
)
# What says little in a name: the place before it, the form behind it, brackets and blanks.
PLAIN: Final = (
    "regexp_replace(regexp_replace(coalesce(name, ''), '[\\s()（）·]', '', 'g'),"
    " '^(浙江省?)?(温州市?)?(.{2}(区|县|市))?', '')"
)


def prepared(relation: str) -> str:
    """A relation with its name made plain."""
    return f"(SELECT *, {PLAIN} AS plain FROM {relation})"


def pairs_sql(records: str, traders: str) -> str:
    """Every candidate pair with its levels. Grain: record × trader, once."""
    levels = ", ".join(each.sql() for each in COMPARISONS)
    found = " UNION ".join(
        f"SELECT l.id AS record, r.id AS trader FROM l JOIN r ON {block}" for block in BLOCKS
    )
    return (
        f"WITH l AS MATERIALIZED {prepared(records)}, r AS MATERIALIZED {prepared(traders)},"
        f" candidates AS ({found})"
        f" SELECT record, trader, r.plain AS plain, {levels} FROM candidates"
        " JOIN l ON l.id = record JOIN r ON r.id = trader"
    )


def random_pairs_sql(records: str, traders: str, many: int) -> str:
    """Levels of pairs taken at random, nearly all of them no match; the same each time."""
    levels = ", ".join(each.sql() for each in COMPARISONS)
    return (
        f"WITH l AS (SELECT *, row_number() OVER (ORDER BY hash(id)) AS n FROM {prepared(records)}),"
        f" r AS (SELECT *, row_number() OVER (ORDER BY hash(id || 'x')) AS n"
        f" FROM {prepared(traders)}), sizes AS (SELECT (SELECT count(*) FROM l) AS a,"
        f" (SELECT count(*) FROM r) AS b)"
        f" SELECT {levels} FROM range({many}) AS pair(k), sizes"
        " JOIN l ON l.n = (k * 7919) % a + 1 JOIN r ON r.n = (k * 104729) % b + 1"
    )
