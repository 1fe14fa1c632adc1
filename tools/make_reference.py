"""Writes the reference pages that follow from declarations: facts and datasets.

``python -m tools.make_reference`` writes them all, ``python -m tools.make_reference facts`` one.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import django

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PERSONAL = {
    "none": "—",
    "business": "经营信息",
    "personal": "个人信息",
    "sensitive": "敏感个人信息",
}
ABSENT = {"unknown": "未知", "zero": "零", "false": "否", "none": "没有", "sql": "按说明推算"}
KINDS = {"state": "状态", "period": "期间", "event": "事件"}
CADENCES = {"monthly": "每月", "quarterly": "每季", "yearly": "每年"}
MADE = "<!-- Made by tools/make_reference.py from the YAML files; edit those. -->"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    for name in sys.argv[1:] or PAGES:
        if name not in PAGES:
            sys.exit(f"没有“{name}”这一页；有：{'、'.join(PAGES)}")
        path = FOLDER / f"{name}.md"
        path.write_text(PAGES[name](), "utf-8")
        print(path)


def facts_page() -> str:
    from getihu.dataplane import selectors

    groups = selectors.fact_groups().values()
    count = sum(len(group.facts) for group in groups)
    lines = [
        "# Facts 事实",
        "",
        MADE,
        "",
        f"{count} facts in {len(groups)} groups, each computed for every trader and date from one "
        "dataset of one department. A NULL is unknown, never zero and never false; beside each "
        "group stands its state: recorded, absent, late, held, missing or undelivered. "
        "“没有记录时” says what a fact becomes when the delivery is complete and holds no record "
        "of the trader. Their SQL is in `src/getihu/dataplane/facts/`.",
    ]
    header = ("事实", "名称", "类型", "单位", "未知的含义", "没有记录时", "个人信息", "说明")
    for group in groups:
        contract = group.contract
        department = group.facts[0].declaration.department_name
        lines += [
            "",
            f"## {group.label} `{group.name}`",
            "",
            f"{department}，数据集 [{contract.title}](datasets.md) `{contract.id}`。",
            "",
        ]
        rows = []
        for fact in group.facts:
            d = fact.declaration
            values = "、".join(f"`{value}` {label}" for value, label in d.values.items())
            rows.append(
                (
                    f"`{d.name}`",
                    d.label,
                    d.type,
                    d.unit or "",
                    d.null_means,
                    ABSENT[fact.absent],
                    PERSONAL[d.personal],
                    "；".join(text for text in (d.description, values) if text),
                )
            )
        lines += _table(header, rows)
    return "\n".join(lines) + "\n"


def datasets_page() -> str:
    from getihu.dataplane import selectors
    from getihu.reference.selectors import department_name

    contracts = selectors.dataset_contracts().values()
    lines = [
        "# Datasets 数据集",
        "",
        MADE,
        "",
        f"{len(contracts)} kinds of delivery. Each file has the columns below by their Chinese "
        "headers and, last, `记录状态` (有效 or 撤回). The contracts are in "
        "`src/getihu/dataplane/datasets/`.",
    ]
    header = ("列", "表头", "类型", "单位", "必填", "空值的含义", "个人信息", "取值")
    for contract in contracts:
        lines += [
            "",
            f"## {contract.title} `{contract.id}`",
            "",
            f"- 送达部门：{department_name(contract.department)}；{CADENCES[contract.cadence]}一次，"
            f"宽限 {contract.grace_days} 日",
            f"- 记录种类：{KINDS[contract.kind]}；主键 "
            f"{'、'.join(f'`{key}`' for key in contract.key)}；有效日期 `{contract.valid_on}`",
            f"- 没有记录：{contract.absence}",
            f"- 共享依据：{contract.legal_ground}",
            "",
        ]
        lines += _table(
            header,
            [
                (
                    f"`{c.name}`",
                    c.header,
                    c.type,
                    c.unit or "",
                    "是" if c.required else "否",
                    c.null_means or "",
                    PERSONAL[c.personal],
                    "、".join(f"`{value}` {label}" for value, label in c.values.items()),
                )
                for c in contract.columns
            ],
        )
    return "\n".join(lines) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]


PAGES: dict[str, Callable[[], str]] = {"facts": facts_page, "datasets": datasets_page}

if __name__ == "__main__":
    main()
