"""What becomes of everything a trader has, from departments' records. Pure: records come in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Records = Mapping[str, Sequence[Mapping[str, Any]]]
FATES: Final = {
    "first": "先要办",
    "task": "市里负责转过去",
    "changes": "会变",
    "stays": "不变",
    "unknown": "还说不准",
}
DIRECT: Final = "国市监注发〔2025〕58号"
PLAN: Final = "温州市个体工商户全生命周期服务增值化改革实施方案（征求意见稿） 第十二条"


@dataclass(frozen=True)
class Happens:
    """One thing and what becomes of it, without the names of departments."""

    kind: str
    kind_label: str
    about: str
    ref: str
    fate: str
    text: str
    source: str
    department: str


@dataclass(frozen=True)
class _Kind:
    """How records of a dataset go over. ``number``: the column that names one; ``ended``: the column
    that says it no longer holds."""

    kind: str
    label: str
    number: str
    ended: str
    fate: str
    text: str
    source: str
    department: str


KINDS: Final[dict[str, _Kind]] = {
    "permits": _Kind(
        "permit", "许可", "permit_no", "ended_on", "task",
        "许可写着个体工商户，由许可部门改成企业；行政许可部门应当简化手续",
        "促进个体工商户发展条例 第十三条第一款", "amr",
    ),
    "intellectual_property": _Kind(
        "ip", "商标、专利", "right_no", "", "task",
        "权利人从经营者改成企业，由您和企业一起申请转移，市里帮着办", PLAN, "amr",
    ),
    "honours": _Kind(
        "honour", "荣誉", "honour_no", "withdrawn_on", "task",
        "由授予的部门改到企业名下", PLAN, "amr",
    ),
    "heritage": _Kind(
        "heritage", "非遗", "item_no", "", "task",
        "保护单位改成企业；传承人是您本人，不变", PLAN, "culture",
    ),
    "penalties": _Kind(
        "credit", "信用记录", "decision_no", "repaired_on", "stays",
        "公示跟着信用代码，到公示期满为止", "市场监督管理行政处罚信息公示规定 第十三条", "amr",
    ),
}  # fmt: skip


def of_records(
    records: Records, label: Callable[[str, Mapping[str, Any]], str]
) -> Iterator[Happens]:
    """One line for each record that still holds. ``label`` names a record's kind in Chinese."""
    for dataset, how in KINDS.items():
        for record in records.get(dataset, ()):
            if how.ended and record.get(how.ended):
                continue
            number = str(record[how.number])
            yield Happens(
                how.kind, how.label, label(dataset, record), number, how.fate, how.text,
                how.source, how.department,
            )  # fmt: skip


def of_everyone(name: str) -> Iterator[Happens]:
    """What concerns every trader."""
    yield Happens(
        "name", "名称", f"字号“{name}”", "", "stays", "可以接着用原字号，保留行业和经营特点的表述", DIRECT, "amr",
    )  # fmt: skip
    yield Happens(
        "code", "登记", "信用代码、成立日期、档案和年报", "", "stays", "不变，并入企业", DIRECT, "amr",
    )  # fmt: skip
    yield Happens(
        "property", "不动产", "您名下的不动产（有的话）", "", "task",
        "要转到企业名下的，不动产登记机构提供高效登记；个转企免征契税。转不转由您定",
        f"{PLAN}；温政办〔2024〕22号", "amr",
    )  # fmt: skip
