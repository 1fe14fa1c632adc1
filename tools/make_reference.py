"""Writes the reference pages that follow from declarations: facts and datasets.

``python -m tools.make_reference`` writes them all, ``python -m tools.make_reference facts`` one.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django

from getihu.kernel.errors import InvalidInput

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
LEVELS = {"town": "乡镇（街道）", "county": "县（市、区）", "city": "市"}
STARTED_BY = {
    "owner": "经营者本人",
    "representative": "经营者本人或者她授权的人",
    "officer": "办事人员",
    "anybody": "登录的人，还没有店也可以",
}
PAUSES = {
    "hearing": "听证",
    "bidding": "招标、拍卖",
    "testing": "检验、检测、检疫、鉴定",
    "expert_review": "专家评审",
    "applicant": "等待申请人补正",
}
SILENCES = {
    "none": "算逾期",
    "deemed_accepted": "视为受理",
    "deemed_granted": "视为准予",
    "proceeds": "期满可办下一步",
}
MADE = "<!-- Made by tools/make_reference.py from the YAML files; edit those. -->"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    for name in sys.argv[1:] or PAGES:
        if name not in PAGES:
            sys.exit(f"没有“{name}”这一页；有：{'、'.join(PAGES)}")
        path = FOLDER / f"{name}.md"
        try:
            text = PAGES[name]()
        except InvalidInput as error:  # a file that cannot be read says so itself
            sys.exit(str(error))
        path.write_text(text, "utf-8")
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
                    "；".join(
                        text for text in (d.description, values, _consent(d.consent)) if text
                    ),
                )
            )
        lines += _table(header, rows)
    return "\n".join(lines) + "\n"


def _consent(article: str) -> str:
    return f"使用须本人书面同意：{article}" if article else ""


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


def matters_page() -> str:
    from getihu.cases.matters.diagram import stages_diagram, states_diagram, term_text
    from getihu.cases.matters.load import matter_catalogue
    from getihu.reference.selectors import department_name

    matters = matter_catalogue()
    lines = [
        "# Matters 事项",
        "",
        MADE.replace("YAML files", "matter files and the table of moves"),
        "",
        f"{len(matters)} matters. Every case of every matter moves by one table, which the "
        "database holds too (`cases_allowed_move`) and enforces:",
        "",
        "```mermaid",
        states_diagram().rstrip(),
        "```",
    ]
    for matter in matters.values():
        lines += [
            "",
            f"## {matter.title} `{matter.id}`",
            "",
            matter.summary,
            "",
            "```mermaid",
            stages_diagram(matter).rstrip(),
            "```",
            "",
            f"- 依据：{'；'.join(matter.legal_basis)}",
            f"- 由谁提出：{STARTED_BY[matter.started_by]}",
            f"- 结果：{matter.result.title}（{matter.result.article}）",
            "",
        ]
        clocks = [("受理", matter.handler, matter.acceptance_clock)]
        clocks += [(stage.title, stage.handler, stage.clock) for stage in matter.stages]
        lines += _table(
            ("环节", "承办", "期限", "条款"),
            [
                (
                    title,
                    f"{LEVELS[handler.level]}{department_name(handler.department, short=True)}",
                    term_text(clock),
                    f"[`{clock}`](clocks.md)",
                )
                for title, handler, clock in clocks
            ],
        )
        if matter.documents:
            lines += [
                "",
                *_table(
                    ("材料", "谁提供", "条款"),
                    [
                        (
                            d.title,
                            f"{department_name(d.held_by.department, short=True)}已有，不向申请人要"
                            if d.held_by
                            else "申请人",
                            d.article,
                        )
                        for d in matter.documents
                    ],
                ),
            ]
    return "\n".join(lines) + "\n"


def bundles_page() -> str:
    from getihu.cases.matters.diagram import parts_diagram
    from getihu.cases.selectors import bundle_catalogue, merged_documents, merged_form
    from getihu.reference.selectors import department_name

    bundles = bundle_catalogue()
    lines = [
        "# Bundles 一类事",
        "",
        MADE.replace("YAML files", "bundle files and the matters they name"),
        "",
        f"{len(bundles)} bundles. Each is one form, handed in once; every part is a case of its own "
        "matter. How to write one: [add-a-bundle](../how-to/add-a-bundle.md).",
    ]
    for whole in bundles.values():
        bundle = whole.bundle
        lines += [
            "",
            f"## {bundle.title} `{bundle.id}`",
            "",
            bundle.summary,
            "",
            "```mermaid",
            parts_diagram(whole).rstrip(),
            "```",
            "",
            f"- 依据：{'；'.join(bundle.legal_basis)}",
            f"- 牵头：{department_name(bundle.handler.department, short=True)}",
            f"- 由谁开始：{STARTED_BY[bundle.started_by]}",
            *([f"- 说明：{bundle.note}"] if bundle.note else []),
            "",
        ]
        lines += _table(
            ("部分", "事项", "什么时候要办", "等谁", "没有办成"),
            [
                (
                    f"`{part.id}`",
                    f"[{whole.matter(part.id).title}](matters.md) `{part.matter}`",
                    _when(part),
                    "、".join(whole.matter(name).title for name in part.after),
                    part.if_refused,
                )
                for part in bundle.parts
            ],
        )
        lines.append("")
        lines += _table(
            ("问题", "部门已有", "谁用"),
            [
                (
                    each.field.label,
                    f"`{each.field.fact}`" if each.field.fact else "",
                    "、".join(part or "一类事本身" for part in each.asked_by),
                )
                for each in merged_form(whole)
            ],
        )
        if documents := merged_documents(whole):
            lines.append("")
            lines += _table(
                ("材料", "谁提供", "谁要"),
                [
                    (
                        each.document.title,
                        f"{department_name(each.document.held_by.department, short=True)}已有"
                        if each.document.held_by
                        else "申请人，交一次",
                        "、".join(each.wanted_by),
                    )
                    for each in documents
                ],
            )
    return "\n".join(lines) + "\n"


def _when(part: Any) -> str:
    when = part.when
    if when is None:
        return "都要办"
    if when.answer:
        said = "、".join({True: "是", False: "否"}.get(value, str(value)) for value in when.is_)
        return f"`{when.answer}` 答{said}"
    return f"规则 [`{when.rule}`](rules.md) 得出 {'、'.join(f'`{each}`' for each in when.gives)}"


def clocks_page() -> str:
    from getihu.cases.clocks.terms import statutory_terms
    from getihu.cases.matters.diagram import term_text

    terms = statutory_terms()
    lines = [
        "# Clocks 法定期限",
        "",
        MADE,
        "",
        f"{len(terms)} terms. Working days follow the published calendars with 调休; where a law "
        "names no unit, days are natural days. 可信度 as in rule files: L law read in full, "
        "G government page, M copy, S second hand, D derived, R remembered.",
        "",
    ]
    lines += _table(
        ("期限", "名称", "从", "到", "多长", "不计入", "逾期不办", "条款", "可信度"),
        [
            (
                f"`{t.id}`",
                t.title,
                t.starts,
                t.ends,
                f"{'提前' if t.direction == 'before' else ''}{term_text(t.id)}"
                + (f"，可延长 {t.extension.amount}" if t.extension else ""),
                "、".join(PAUSES[p] for p in sorted(t.pauses)),
                SILENCES[t.silence],
                t.source,
                t.trust if t.official else "本项目设定，非官方",
            )
            for t in terms.values()
        ],
    )
    return "\n".join(lines) + "\n"


def retention_page() -> str:
    from getihu.config.retention import kept_classes

    classes = kept_classes()
    units = {"days": "天", "months": "个月", "years": "年"}
    lines = [
        "# Retention 保存期限",
        "",
        MADE,
        "",
        "What is kept of people goes once a day when its term is over (`getihu work`); how much of "
        "each class went stands in the audit log (`retention.swept`). Terms no law gives are set "
        "by this project. On SQLite what is erased is overwritten in the file; on PostgreSQL it "
        "leaves the disk with the next vacuum and the end of the archived WAL. Backups made "
        "before still hold it, until they go themselves.",
        "",
    ]
    lines += _table(
        ("类别", "保存什么", "从", "多久", "依据", "期限"),
        [
            (
                f"`{c.id}`",
                c.what,
                c.since,
                f"{c.keep[1]} {units[c.keep[0]]}",
                c.source,
                "法定" if c.official else "本项目设定，非官方",
            )
            for c in classes
            if c.keep
        ],
    )
    lines += ["", "Not erased, for no source says when:", ""]
    lines += _table(
        ("类别", "保存什么", "为什么不清"),
        [(f"`{c.id}`", c.what, c.not_erased) for c in classes if c.not_erased],
    )
    return "\n".join(lines) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]


PAGES: dict[str, Callable[[], str]] = {
    "facts": facts_page,
    "datasets": datasets_page,
    "matters": matters_page,
    "bundles": bundles_page,
    "clocks": clocks_page,
    "retention": retention_page,
}

if __name__ == "__main__":
    main()
