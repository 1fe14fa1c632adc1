"""A round of drawing: what is fixed beforehand, where chance comes from, who is drawn and by whom
they are visited. ``tools/verify_draw.py`` does the same again without any of this code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from getihu.kernel.errors import GetihuError
from getihu.supervision.draws.texts import canonical_json, digest, read_lines, write_lines
from getihu.supervision.draws.tickets import key_of, lowest, ticket

FORMAT: Final = "getihu.draw/1"
# Letters chance may be written in, and how many at least: 64 bits, so that nobody can try them all.
SOURCES: Final = {
    "dice": ("123456", 25),
    "lottery": ("0123456789", 20),
    "drand": ("0123456789abcdef", 64),
}
# The beacon: chain "quicknet" of drand, by the values it publishes of itself.
DRAND: Final[dict[str, Any]] = {
    "chain": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    "genesis": 1_692_803_367,
    "period_s": 3,
}
LISTS: Final = {"frame": 2, "excluded": 2, "inspectors": 2, "conflicts": 2}


class CannotDraw(GetihuError):
    """The lists do not allow this draw; the text says which line and what to do."""


@dataclass(frozen=True)
class Lists:
    """The lists a draw is of, as texts of ``texts.write_lines``.

    ``frame``: trader code, stratum. ``excluded``: trader code, reason. ``inspectors``: number,
    qualification (a person with two has two lines). ``conflicts``: inspector number, trader code.
    """

    frame: str
    excluded: str
    inspectors: str
    conflicts: str


@dataclass(frozen=True)
class Drawn:
    """One trader drawn: her place in her stratum (from 1), her ticket, who visits her."""

    stratum: str
    position: int
    trader_code: str
    ticket: str
    team: tuple[str, ...]


def make_lists(
    frame: Mapping[str, str],
    excluded: Mapping[str, str],
    inspectors: Sequence[tuple[str, str]],
    conflicts: Sequence[tuple[str, str]],
) -> Lists:
    """Raises NotCanonical; CannotDraw when a trader is both in the frame and excluded."""
    if both := sorted(frame.keys() & excluded.keys()):
        raise CannotDraw(f"{both[0]} 既在名录里又被排除。处理办法：先定下是哪一样。")
    return Lists(
        write_lines(frame.items()),
        write_lines(excluded.items()),
        write_lines(inspectors),
        write_lines(conflicts),
    )


def commitment(
    lists: Lists,
    *,
    rates: Mapping[str, Fraction],
    team: int,
    qualification: str,
    recipe: Mapping[str, Any],
    about: Mapping[str, Any],
    program_sha256: str,
) -> str:
    """The text whose digest is published before chance is known. It fixes every list, the size of
    every stratum's sample, the team, the program and where chance will come from.

    Raises CannotDraw: a stratum without a rate, too few inspectors for somebody.
    """
    counts: dict[str, int] = {}
    for _, stratum in read_lines(lists.frame, 2):
        counts[stratum] = counts.get(stratum, 0) + 1
    if not counts:
        raise CannotDraw("名录是空的，没有人可以抽。处理办法：核对地区、领域和排除条件。")
    if missing := sorted(counts.keys() - rates.keys()):
        raise CannotDraw(f"“{missing[0]}”这一层没有抽查比例。处理办法：在计划里写上比例。")
    _check_teams(lists, qualification, team)
    strata = [
        {
            "name": name,
            "count": counts[name],
            "rate": f"{rates[name].numerator}/{rates[name].denominator}",
            "size": sample_size(counts[name], rates[name]),
        }
        for name in sorted(counts)
    ]
    texts = {
        name: {"sha256": digest(getattr(lists, name)), "count": getattr(lists, name).count("\n")}
        for name in LISTS
    }
    register = write_lines(
        (row[0],) for part in (lists.frame, lists.excluded) for row in read_lines(part, 2)
    )
    return canonical_json(
        {
            "format": FORMAT,
            **texts,
            "register": {"sha256": digest(register), "count": register.count("\n")},
            "strata": strata,
            "team": team,
            "qualification": qualification,
            "recipe": dict(recipe),
            "about": dict(about),
            "program_sha256": program_sha256,
        }
    )


def sample_size(count: int, rate: Fraction) -> int:
    """How many of ``count`` a rate asks for, rounded up: a quota is reached, not nearly reached.

    >>> sample_size(999, Fraction(3, 100))
    30
    """
    return -(-count * rate.numerator // rate.denominator)


def make_recipe(kind: str, *, not_before: datetime, until: datetime, where: str) -> dict[str, Any]:
    """Where chance will come from: ``kind`` between two moments; when nothing was entered by
    ``until``, the first round of the beacon after it, which nobody can know before. So nobody can
    look at both and choose. Raises CannotDraw."""
    if kind not in SOURCES or not where.strip() or not_before >= until:
        raise CannotDraw(
            f"随机数要写明来源（{'、'.join(SOURCES)}）、在哪里产生、从什么时候到什么时候，先起后止。"
        )
    return {
        "kind": kind,
        "digits": SOURCES[kind][1],
        "not_before": not_before.astimezone(UTC).isoformat(),
        "until": until.astimezone(UTC).isoformat(),
        "where": where.strip(),
        **(_round_after(not_before) if kind == "drand" else {}),
        "fallback": {"kind": "drand", "digits": SOURCES["drand"][1], **_round_after(until)},
    }


def _round_after(moment: datetime) -> dict[str, Any]:
    genesis, period = DRAND["genesis"], DRAND["period_s"]
    return {**DRAND, "round": (int(moment.timestamp()) - genesis) // period + 2}


def seed_of(commitment_text: str, kind: str, digits: str, *, is_fallback: bool = False) -> str:
    """The seed of the round. Raises CannotDraw for digits that are not of the promised kind."""
    letters, length = SOURCES.get(kind, ("", 0))
    if not letters or len(digits) != length or set(digits) - set(letters):
        raise CannotDraw(
            f"随机数写法不对：要正好 {length} 位，只能用 {letters}。处理办法：照记录表逐位核对。"
        )
    return f"{digest(commitment_text)}:{'fallback' if is_fallback else 'agreed'}:{kind}:{digits}"


def draw(lists: Lists, strata: Sequence[Mapping[str, Any]], seed: str, *, team: int,
         qualification: str) -> list[Drawn]:  # fmt: skip
    """Everybody drawn, by stratum and ticket, each with a team drawn the same way from those who
    are qualified and have no conflict with her."""
    key = key_of(seed)
    of: dict[str, list[str]] = {str(stratum["name"]): [] for stratum in strata}
    for line in lists.frame.splitlines():
        trader_code, _, of_stratum = line.partition(",")
        of[of_stratum].append(trader_code)
    able = _able(lists, qualification)
    kept_away = frozenset(read_lines(lists.conflicts, 2))
    drawn = []
    for stratum in strata:
        name = str(stratum["name"])
        held = lowest(key, of[name], int(stratum["size"]))
        for position, (number, code) in enumerate(held, 1):
            drawn.append(
                Drawn(name, position, code, number, _team(key, code, able, kept_away, team))
            )
    return drawn


def result_text(drawn: Sequence[Drawn]) -> str:
    """What is published: stratum, place, code, ticket, team."""
    return "".join(
        f"{d.stratum},{d.position},{d.trader_code},{d.ticket},{'+'.join(d.team)}\n" for d in drawn
    )


def _able(lists: Lists, qualification: str) -> list[str]:
    return [number for number, skill in read_lines(lists.inspectors, 2) if skill == qualification]


def _team(
    key: str, code: str, able: Sequence[str], kept_away: frozenset[tuple[str, ...]], size: int
) -> tuple[str, ...]:
    free = (number for number in able if (number, code) not in kept_away)
    return tuple(
        number for _, number in sorted((ticket(key, f"{code}/{n}"), n) for n in free)[:size]
    )


def _check_teams(lists: Lists, qualification: str, team: int) -> None:
    """Whoever may be drawn can be visited: known before chance is, so nobody draws again for it."""
    if team < 2:
        raise CannotDraw("检查人员不得少于两人。依据：食品生产经营监督检查管理办法第二十三条。")
    able = set(_able(lists, qualification))
    against: dict[str, int] = {}
    for number, code in read_lines(lists.conflicts, 2):
        against[code] = against.get(code, 0) + (number in able)
    listed = {line.partition(",")[0] for line in lists.frame.splitlines()}
    if len(able) < team:
        raise CannotDraw(
            f"有“{qualification}”资格的检查人员只有 {len(able)} 名，每户要 {team} 名。"
        )
    for code, kept_away in sorted(against.items()):
        if code in listed and len(able) - kept_away < team:
            raise CannotDraw(
                f"{code} 的回避人员太多，剩下的不足 {team} 名。处理办法：请邻县人员加入名录。"
            )
