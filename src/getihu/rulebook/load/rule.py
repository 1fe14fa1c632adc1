"""Reads one rule file: shape, names, types, trees. All problems of the file at once."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from getihu.dataplane.contracts import FactDeclaration, FactType
from getihu.kernel.errors import nearest_name
from getihu.rulebook.contracts import LegalSource
from getihu.rulebook.load.amounts import AmountReading
from getihu.rulebook.load.document import Document, Located, read_document
from getihu.rulebook.load.expression import ExpressionReader, Names
from getihu.rulebook.load.parameters import read_parameters
from getihu.rulebook.load.settling import (
    read_budget,
    read_ceiling,
    read_deciding_date,
    read_group,
    read_legal_basis,
    read_overrides,
)
from getihu.rulebook.load.shape import check_shape
from getihu.rulebook.load.skeleton import TO_FILL
from getihu.rulebook.load.trees import read_tree
from getihu.rulebook.model.expressions import Constant, facts_in, parameters_in
from getihu.rulebook.model.parameters import settle, value_sets
from getihu.rulebook.model.rules import (
    ASKED_OF,
    CREDIT_LISTS,
    ELIGIBILITY,
    AllOf,
    Clause,
    ClauseRef,
    Ending,
    Input,
    NoneOf,
    Row,
    Rule,
    Tree,
)

# Whose records the credit lists are.
CREDIT_DATASETS = ("abnormal_marks", "penalties")
_VERSION_MARK = "@"  # <id>@<anything>.yaml is another version of the rule <id>
_QUOTED = re.compile(r"('(?:[^']|'')*')")


def read_rule(path: Path, facts: Mapping[str, FactDeclaration]) -> tuple[Rule | None, Document]:
    """The rule in a file, or None with the file's problems in the document."""
    document = read_document(path)
    rule = check_rule(document, facts) if document.root is not None else None
    return rule, document


def check_rule(document: Document, facts: Mapping[str, FactDeclaration]) -> Rule | None:
    """The rule of a parsed document; None (and problems noted) when anything is wrong."""
    root = document.root
    if root is None:
        return None
    check_shape(document, "rule")
    _check_filled(document, root)
    reading = _RuleReading(document, root, facts)
    rule = reading.rule()
    document.problems.sort(key=lambda p: (p.line or 0, p.column or 0))
    return None if document.problems else rule


def _check_filled(document: Document, located: Located) -> None:
    """Nothing may be left of the text a new rule starts from."""
    if isinstance(located.value, dict):
        children = [child for _, child in located.items()]
    elif isinstance(located.value, list):
        children = located.elements()
    else:
        children = []
        if isinstance(located.value, str) and located.value.startswith(TO_FILL):
            document.report(f"还没有填：{located.value}", located, "照原文写，去掉“待填”。")
    for child in children:
        _check_filled(document, child)


class _RuleReading:
    def __init__(
        self, document: Document, root: Located, facts: Mapping[str, FactDeclaration]
    ) -> None:
        self.document = document
        self.root = root
        self.facts = facts
        self.used_clauses: set[str] = set()
        self.inputs = self._inputs()
        known = {**facts, **{each.name: each.declaration for each in self.inputs}}
        self.known = known
        self.decides_on = read_deciding_date(document, root, known)
        parameters = self._at("parameters")
        self.parameters = read_parameters(document, parameters, known, self.decides_on)
        self.reader = ExpressionReader(document, self._names())
        self.amounts = AmountReading(document, root, self.reader, self.parameters)

    def _names(self) -> Names:
        first: dict[str, Constant] = {}
        others: dict[str, tuple[Constant, ...]] = {}
        for parameter in self.parameters:
            values = [each[parameter.name] for each in value_sets([parameter.name], [parameter])]
            first[parameter.name] = values[0]
            if len(values) > 1:
                others[parameter.name] = tuple(values[1:])
        return Names(self.known, first, others, self.decides_on.expression)

    def rule(self) -> Rule | None:
        """Reads every part even after a problem, so that all are reported."""
        self._check_file_name()
        ending = self._ending()
        valid_from, valid_until = self._date("valid_from"), self._date("valid_until")
        self._check_period(valid_from, valid_until, ending)
        clauses = self._clauses("clauses")
        requires, rows = self._requires(), self._rows()
        exclusions = self._clauses("exclusions")
        clauses += exclusions
        if requires is not None and exclusions:
            requires = AllOf((requires, NoneOf(tuple(ClauseRef(c.id) for c in exclusions))))
        amount = self.amounts.amount()
        instalments = self.amounts.instalments()
        self.amounts.check_instalments(amount, instalments)
        group, budget = read_group(self.root), read_budget(self.document, self.root, self.known)
        ceiling = read_ceiling(self.document, self.root, self.known)
        overrides = read_overrides(self.document, self.root)
        self._check_use()
        if self.document.problems or valid_from is None:
            return None
        return Rule(
            id=self._text("id"),
            version=rule_version(self.root.plain()),
            title=self._text("title"),
            kind=self._text("kind"),
            code=self._text("code"),
            source=LegalSource(
                **{
                    key: self._text("source", key)
                    for key in ("document", "title", "article", "url", "trust")
                }
            ),
            region=self._text("region"),
            subjects=tuple(item.value for item in self._at("subjects").elements()),
            valid_from=valid_from,
            valid_until=valid_until,
            ended_by=ending,
            date_note=self._text("date_note"),
            incomplete=self._text("incomplete"),
            benefit=self._text("benefit", "text"),
            benefit_kind=self._text("benefit", "kind"),
            parameters=self.parameters,
            clauses=clauses,
            requires=requires,
            rows=rows,
            values=tuple((key, item.value) for key, item in self._at("values").items()),
            amount=amount,
            file=self.document.file,
            inputs=self.inputs,
            decides_on=self.decides_on,
            instalments=instalments,
            group=group,
            budget=budget,
            ceiling=ceiling,
            overrides=overrides,
            legal_basis=read_legal_basis(self.root),
        )

    # small readers

    def _at(self, *path: str) -> Located:
        return self.root.get(*path) or Located(None, self.root.line, self.root.column)

    def _text(self, *path: str) -> str:
        value = self._at(*path).value
        return value.strip() if isinstance(value, str) else ""

    def _date(self, *path: str) -> date | None:
        value = self._at(*path).value
        return value if isinstance(value, date) else None

    def _key(self, *path: str) -> tuple[int, int]:
        return (
            self._at(*path[:-1]).key_place(path[-1]) if path[:-1] else self.root.key_place(path[0])
        )

    # parts

    def _check_file_name(self) -> None:
        rule_id = self._text("id")
        stem = Path(self.document.file).name.removesuffix(".yaml").split(_VERSION_MARK)[0]
        if rule_id and rule_id != stem:
            self.document.report(
                f"文件名“{stem}”和编号“{rule_id}”不一致",
                self._at("id"),
                f"把文件改名为 {rule_id}.yaml，或改 id。",
                field="id",
                nearest=stem,
            )

    def _ending(self) -> Ending | None:
        from_ = self._date("ended_by", "from")
        if from_ is None:
            return None
        return Ending(self._text("ended_by", "rule"), from_, self._text("ended_by", "source"))

    def _check_period(
        self, valid_from: date | None, valid_until: date | None, ending: Ending | None
    ) -> None:
        if valid_from and valid_until and valid_until <= valid_from:
            self.document.report(
                "valid_until 不晚于 valid_from，这条规则永远不生效",
                self._at("valid_until"),
                "valid_until 写失效的第一天。",
                field="valid_until",
            )
        if (
            ending
            and valid_from
            and not (
                valid_from <= ending.from_ and (valid_until is None or ending.from_ <= valid_until)
            )
        ):
            self.document.report(
                "ended_by.from 不在有效期内",
                self._at("ended_by", "from"),
                "写提前终止的第一天，应在 valid_from 和 valid_until 之间。",
                field="ended_by.from",
            )

    def _inputs(self) -> tuple[Input, ...]:
        read = []
        for name, located in self._at("inputs").items():
            if name in self.facts:
                self.document.report(
                    f"“{name}”已经是部门送来的事实，不用再问",
                    self._key("inputs", name),
                    "删掉这个 input，直接用事实；确是另一回事的，换一个名字。",
                    field=f"inputs.{name}",
                )
            plain = located.plain()
            try:
                kind = FactType(plain["type"])
                values = tuple((plain.get("values") or {}).items())
                texts = {key: plain[key] for key in ("label", "asked_of", "question", "null_means")}
            except (KeyError, ValueError, TypeError, AttributeError):
                continue  # the shape is wrong and already told
            if (kind is FactType.ENUM) != bool(values) or (kind is FactType.MONEY) != (
                plain.get("unit") == "yuan"
            ):
                self.document.report(
                    f"“{name}”的类型和选项、单位不相配",
                    self._key("inputs", name),
                    "enum 要写 values，money 的单位是 yuan，别的类型不写。",
                    field=f"inputs.{name}",
                )
                continue
            if texts["asked_of"] in ASKED_OF:
                read.append(
                    Input(name=name, type=kind, unit=plain.get("unit", ""), values=values, **texts)
                )
        return tuple(read)

    def _clauses(self, group: str) -> tuple[Clause, ...]:
        read = []
        for name, located in self._at(group).items():
            credit_list = located.get("credit_list")
            if group == "exclusions":
                self._check_exclusion(name, located, credit_list)
            when = located.get("when")
            if when is None or not isinstance(when.value, str) or not when.value.strip():
                continue
            expression = self.reader.read_condition(when, f"{group}.{name}.when")
            if expression is None:
                continue
            resolved = settle(expression, self.parameters)
            label, article = located.get("label"), located.get("article")
            read.append(
                Clause(
                    id=name,
                    label=str(label.value) if label else "",
                    text=" ".join(when.value.split()),
                    article=str(article.value) if article else "",
                    expression=expression,
                    resolved=resolved,
                    facts=tuple(dict.fromkeys([*facts_in(expression), *facts_in(resolved)])),
                    parameters=parameters_in(expression),
                    is_exclusion=group == "exclusions",
                    credit_list=str(credit_list.value) if credit_list else "",
                )
            )
        return tuple(read)

    def _check_exclusion(self, name: str, located: Located, credit_list: Located | None) -> None:
        """A credit exclusion names its list (the article is required of every clause)."""
        if name in dict(self._at("clauses").items()):
            self.document.report(
                f"排除项“{name}”和条件同名",
                self._key("exclusions", name),
                "换一个名字。",
                field=f"exclusions.{name}",
            )
        when = located.get("when")
        written = str(when.value) if when else ""
        looked_at = [
            fact
            for fact in re.findall(r"[A-Za-z_][A-Za-z_0-9]*", written)
            if fact in self.facts and self.facts[fact].dataset in CREDIT_DATASETS
        ]
        if looked_at and credit_list is None:
            self.document.report(
                f"排除项“{name}”看信用记录（{looked_at[0]}），没有写是哪一份名单",
                self._key("exclusions", name),
                f"加 credit_list，可写：{'、'.join(CREDIT_LISTS)}。",
                field=f"exclusions.{name}.credit_list",
            )

    def _requires(self) -> Tree | None:
        located = self.root.get("requires")
        if located is None or self._text("kind") != ELIGIBILITY:
            return None
        clauses = [name for name, _ in self._at("clauses").items()]
        return read_tree(self.document, located, clauses, self.used_clauses, "requires")

    def _rows(self) -> tuple[Row, ...]:
        located = self.root.get("rows")
        if located is None:
            return ()
        rows = located.elements()
        read = [self._row(number, row) for number, row in enumerate(rows, 1)]
        self._check_otherwise(located)
        self._check_values(rows)
        return tuple(row for row in read if row is not None)

    def _row(self, number: int, located: Located) -> Row | None:
        field = f"rows.{number}"
        when, otherwise = located.get("when"), located.get("otherwise")
        if (when is None) == (otherwise is None):
            self.document.report(
                f"第 {number} 行要有 when 或 otherwise，只能有一个",
                located,
                "前面各行写 when，最后一行写 otherwise: true。",
                field=field,
            )
            return None
        tree = None
        if when is not None:
            clauses = [name for name, _ in self._at("clauses").items()]
            tree = read_tree(self.document, when, clauses, self.used_clauses, f"{field}.when")
            if tree is None:
                return None
        value = located.get("value")
        if value is None or not isinstance(value.value, str):
            return None
        label, reason = located.get("label"), located.get("reason")
        named = self._text("values", value.value)
        return Row(
            when=tree,
            value=value.value,
            label=str(label.value) if label else named,
            reason=str(reason.value) if reason else "",
        )

    def _check_otherwise(self, located: Located) -> None:
        rows = located.elements()
        if not rows:
            return
        if rows[-1].get("otherwise") is None:
            self.document.report(
                "表的最后一行不是 otherwise，有的户会没有结果",
                rows[-1],
                "在最后加一行 {otherwise: true, value: …}。",
                field="rows",
            )
        for row in rows[:-1]:
            if row.get("otherwise") is not None:
                self.document.report(
                    "otherwise 后面的行永远用不到", row, "把 otherwise 放到最后一行。", field="rows"
                )

    def _check_values(self, rows: list[Located]) -> None:
        declared = [name for name, _ in self._at("values").items()]
        used = set()
        for row in rows:
            value = row.get("value")
            if value is None or not isinstance(value.value, str):
                continue
            used.add(value.value)
            if value.value not in declared:
                near = nearest_name(value.value, declared)
                fix = f"是不是想写 {near}？" if near else "在 values 里给它写上名称。"
                self.document.report(
                    f"values 里没有“{value.value}”", value, fix, field="rows", nearest=near
                )
        for name in declared:
            if name in ("unknown", "not_applicable"):
                self.document.report(
                    f"结果不能叫“{name}”", self._key("values", name), "换一个名字。", field="values"
                )
            if name not in used:
                self.document.report(
                    f"结果“{name}”没有一行用到",
                    self._key("values", name),
                    "加一行，或从 values 里删掉。",
                    field="values",
                )

    def _check_use(self) -> None:
        """By words, so that an expression with a mistake still counts what it names as used."""
        used = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", " ".join(self._expressions())))
        used.add(self.decides_on.fact)
        for name, _ in self._at("parameters").items():
            if name not in used:
                self.document.report(
                    f"参数“{name}”没有用到",
                    self._key("parameters", name),
                    "在条件或金额里用它，或删掉它。",
                    field=f"parameters.{name}",
                )
        for each in self.inputs:
            if each.name not in used:
                self.document.report(
                    f"“{each.name}”没有用到",
                    self._key("inputs", each.name),
                    "在条件或金额里用它，或删掉它。",
                    field=f"inputs.{each.name}",
                )
        for name, _ in self._at("clauses").items():
            if name not in self.used_clauses:
                self.document.report(
                    f"条件“{name}”没有用到",
                    self._key("clauses", name),
                    "写进 requires 或 rows，或删掉它。",
                    field=f"clauses.{name}",
                )

    def _expressions(self) -> Iterator[str]:
        """The text of every expression of the file."""
        for group in ("clauses", "exclusions"):
            for _, located in self._at(group).items():
                if (when := located.get("when")) is not None:
                    yield str(when.value)
        for key in ("amount", "budget", "ceiling"):
            yield json.dumps(self._at(key).plain(), default=str)


def rule_version(plain: Any) -> str:
    """First 12 hex digits of SHA-256 over the content of a rule file.

    Comments, layout, key order and blanks in expressions do not count; the order of clauses and
    rows does.
    """
    content = _canonical(plain)
    # JSON objects are compared without order; the order clauses are shown in is content.
    order = list(plain.get("clauses") or {}) if isinstance(plain, dict) else []
    text = json.dumps([content, order], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _squeeze(item)
            if key in ("when", "yuan", "of", "cap", "floor", "per", "rate")
            and isinstance(item, str)
            else _canonical(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return {"decimal": str(value)}


def _squeeze(expression: str) -> str:
    """One blank between words; quoted text untouched."""
    parts = _QUOTED.split(expression)
    squeezed = [p if i % 2 else re.sub(r"\s+", " ", p) for i, p in enumerate(parts)]
    return "".join(squeezed).strip()
