"""Appeals of the 12345 hotline, from a CSV file: all of it or, with every line named, none."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.kernel.errors import InvalidInput, Problem
from getihu.kernel.text import decode_strict
from getihu.support.contracts import BadAppeal, Channel
from getihu.support.models import Appeal
from getihu.support.services.filing import LONGEST, SHORTEST, file_appeal

CITY_TIME = ZoneInfo("Asia/Shanghai")
COLUMNS = ("工单号", "来电时间", "内容", "地址", "联系电话")
TIME = "%Y-%m-%d %H:%M"
MOST_ROWS = 20_000


def import_appeals(content: bytes, *, file: str, by: Actor, at: datetime) -> tuple[int, int]:
    """Take in a hotline's file; returns how many were new, and how many were there already.

    Columns: 工单号, 来电时间 (2026-11-02 09:30), 内容, 地址, 联系电话 (may be empty). The time of
    the call is the time of receipt: the clock runs from there. Raises InvalidInput with every
    problem and its line; then nothing was taken in.
    """
    text, _ = decode_strict(content)
    rows = _rows(text, file, at)
    known = set(
        Appeal.objects.filter(channel=Channel.HOTLINE.value).values_list("origin", flat=True)
    )
    new = [row for row in rows if row[1]["工单号"] not in known]
    with transaction.atomic():
        for line, row in new:
            try:
                file_appeal(
                    row["内容"],
                    channel=Channel.HOTLINE,
                    place_text=row["地址"],
                    contact=row["联系电话"],
                    origin=row["工单号"],
                    by=by,
                    at=_moment(row["来电时间"]),
                )
            except BadAppeal as error:
                raise InvalidInput(
                    [Problem(str(error), file, line, fix="改好这一行再导。")]
                ) from None
    return len(new), len(rows) - len(new)


def _rows(text: str, file: str, at: datetime) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        fix = f"第一行要有：{'、'.join(COLUMNS)}。"
        raise InvalidInput([Problem(f"没有这些列：{'、'.join(missing)}", file, 1, fix=fix)])
    found: list[tuple[int, dict[str, str]]] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    try:
        for raw in reader:
            line = reader.line_num
            row = {name: (raw[name] or "").strip() for name in COLUMNS}
            problems += _problems(row, None in raw, file, line, seen, at)
            seen.setdefault(row["工单号"], line)
            found.append((line, row))
    except csv.Error:
        problem = Problem("引号没有成对", file, reader.reader.line_num, fix="从原系统重新导出。")
        raise InvalidInput([*problems, problem]) from None
    if len(found) > MOST_ROWS:
        problems.append(Problem(f"超过 {MOST_ROWS} 行", file, fix="分成几个文件。"))
    if problems:
        raise InvalidInput(problems)
    return found


def _problems(
    row: dict[str, str], is_long: bool, file: str, line: int, seen: dict[str, int], at: datetime
) -> list[Problem]:
    found = []
    if is_long:
        found.append(Problem("比表头多了列", file, line, fix="内容里有逗号的要加引号。"))
    if not row["工单号"]:
        found.append(Problem("没有工单号", file, line, field="工单号", fix="补上工单号。"))
    elif row["工单号"] in seen:
        found.append(
            Problem(
                f"和第 {seen[row['工单号']]} 行工单号相同",
                file,
                line,
                field="工单号",
                fix="删掉一行。",
            )
        )
    if not SHORTEST <= len(row["内容"]) <= LONGEST:
        found.append(
            Problem(
                f"内容要 {SHORTEST} 到 {LONGEST} 个字",
                file,
                line,
                field="内容",
                fix="补全或者写短。",
            )
        )
    try:
        if _moment(row["来电时间"]) > at:
            found.append(Problem("来电时间在以后", file, line, field="来电时间", fix="核对时间。"))
    except ValueError:
        found.append(
            Problem(
                "来电时间不是 2026-11-02 09:30 这样",
                file,
                line,
                field="来电时间",
                fix="改成这样写。",
            )
        )
    return found


def _moment(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=CITY_TIME)
