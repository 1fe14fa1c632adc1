"""A changed copy of a rule: parameters with other values, clauses with other words or left out.

A copy is made from the text of the rule and read again like any rule file, so that a change
meets the same checks (names, types, units, trees) and gets a version hash of its own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.kernel.errors import GetihuError, InvalidInput, nearest_name
from getihu.rulebook.contracts import RuleChange
from getihu.rulebook.load.document import Document, parse_document
from getihu.rulebook.load.rule import check_rule
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.whatif.edit import Edit, TextTree, apply

MOST_CHANGES: Final = 40
_TREES: Final = ("all_of", "any_of", "none_of")


class UnknownPart(GetihuError):
    """The rule has no such parameter or clause, or it cannot be changed this way."""


def rule_text(rule: Rule) -> str:
    return Path(rule.file).read_text("utf-8")


def changed_rule(
    rule: Rule,
    text: str,
    changes: Sequence[RuleChange],
    facts: Mapping[str, FactDeclaration],
) -> Rule:
    """The rule as it would be with the changes made.

    ``text`` is the rule file's. Raises: UnknownPart; InvalidInput with every problem.
    """
    return read_text(rule.file, apply(text, edits_for(text, changes)), facts)


def with_clause(
    text: str, clause_id: str, clause: Mapping[str, object], parameter: Mapping[str, object] | None
) -> str:
    """The text of a rule with one condition more, which all must meet; its standard (if any) is a
    parameter of its own name. A text without conditions cannot take one. Raises: UnknownPart."""
    tree = TextTree(text)
    clauses, requires = tree.pair("clauses"), tree.pair("requires", "all_of")
    if clauses is None or requires is None or not clauses[1].value:
        raise UnknownPart(
            "这份规则的条件不是“全部满足”的写法，不能这样加。处理办法：直接改下面的文本。"
        )
    last = clauses[1].value[-1][0].value
    edits = tree.put(("clauses", clause_id), dict(clause), after=last)
    edits += tree.set(("requires", "all_of"), [*_plain(requires[1]), clause_id])
    if parameter is not None:
        edits += _with_parameter(tree, clause_id, dict(parameter))
    return apply(text, edits)


def _with_parameter(tree: TextTree, name: str, parameter: dict[str, object]) -> list[Edit]:
    own = f"{name}_standard"
    parameters = tree.pair("parameters")
    if parameters is None or not parameters[1].value:
        return tree.put(("parameters",), {own: parameter}, after="benefit")
    return tree.put(("parameters", own), parameter, after=parameters[1].value[-1][0].value)


def read_text(file: str, text: str, facts: Mapping[str, FactDeclaration]) -> Rule:
    """The rule of a text, as if it lay in ``file``. Raises: InvalidInput."""
    document = Document(file=file, text=text)
    parse_document(document)
    rule = check_rule(document, facts)
    if rule is None:
        raise InvalidInput(document.problems)
    return rule


def edits_for(text: str, changes: Sequence[RuleChange]) -> list[Edit]:
    """What to edit in the text of a rule file. Raises: UnknownPart."""
    tree = TextTree(text)
    edits: list[Edit] = []
    dropped = [change.name for change in changes if change.kind == "drop"]
    for change in changes:
        made = _edits(tree, change)
        if not made:
            raise UnknownPart(_unknown(tree, change))
        edits += made
    return edits + _prune(tree, dropped) if dropped else edits


def _edits(tree: TextTree, change: RuleChange) -> list[Edit]:
    match change.kind:
        case "parameter":
            return tree.set(parameter_path(change.name), plain_value(change.value))
        case "clause":
            return tree.set((clause_home(tree, change.name), change.name, "when"), change.value)
        case "drop":
            return tree.remove((clause_home(tree, change.name), change.name))
    return []


def parameter_path(name: str) -> tuple[str | int, ...]:
    """Where a parameter's value stands: ``name``, or ``name#2`` for the second row of its ``by``."""
    base, _, row = name.partition("#")
    if row.isdecimal() and int(row) > 0:
        return ("parameters", base, "by", int(row) - 1, "value")
    return ("parameters", base, "value")


def clause_home(tree: TextTree, name: str) -> str:
    return "exclusions" if tree.pair("exclusions", name) else "clauses"


def plain_value(text: str) -> FactScalar:
    """A value as typed by a person: a whole number, a decimal, a date, 是/否, else words."""
    stripped = text.strip().replace(",", "").replace("，", "")
    if stripped in ("true", "false"):
        return stripped == "true"
    try:
        return date.fromisoformat(stripped)
    except ValueError:
        pass
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        return text.strip()
    if not number.is_finite():
        return text.strip()
    return int(number) if number == number.to_integral_value() and "." not in stripped else number


def _unknown(tree: TextTree, change: RuleChange) -> str:
    section = "parameters" if change.kind == "parameter" else "clauses"
    pair = tree.pair(section)
    names = [key.value for key, _ in pair[1].value] if pair else []
    near = nearest_name(change.name, names)
    word = "参数" if change.kind == "parameter" else "条件"
    hint = f"是不是想写 {near}？" if near else f"可以改的有：{'、'.join(names) or '没有'}。"
    return f"这条规则没有可以改的{word}“{change.name}”。处理办法：{hint}"


def _prune(tree: TextTree, dropped: Sequence[str]) -> list[Edit]:
    """Take clauses out of the condition trees, and parameters nobody uses any more with them."""
    edits: list[Edit] = []
    requires = tree.pair("requires")
    if requires:
        left = _without(_plain(requires[1]), dropped)
        if left is None:
            raise UnknownPart("不能去掉全部条件。处理办法：至少留下一个条件。")
        edits += tree.set(("requires",), left)
    rows = tree.pair("rows")
    for number, _ in enumerate(rows[1].value if rows else ()):
        when = tree.pair("rows", number, "when")
        if when:
            left = _without(_plain(when[1]), dropped)
            if left is None:
                raise UnknownPart(f"去掉以后第 {number + 1} 行没有条件了。处理办法：留下一个条件。")
            edits += tree.set(("rows", number, "when"), left)
    return edits + _unused_parameters(tree, dropped)


def _plain(node: Any) -> Any:
    if isinstance(node.value, str):
        return int(node.value) if node.value.isdecimal() else node.value
    if node.id == "mapping":
        return {key.value: _plain(value) for key, value in node.value}
    return [_plain(item) for item in node.value]


def _without(tree: Any, dropped: Sequence[str]) -> Any:
    """The tree without some clauses; None when nothing is left of it."""
    if isinstance(tree, str):
        return None if tree in dropped else tree
    for joint in _TREES:
        if joint in tree:
            left = [kept for item in tree[joint] if (kept := _without(item, dropped)) is not None]
            return {joint: left} if left else None
    least = tree["at_least"]
    left = [kept for item in least["of"] if (kept := _without(item, dropped)) is not None]
    return {"at_least": {"n": min(int(least["n"]), len(left)), "of": left}} if left else None


def _unused_parameters(tree: TextTree, dropped: Sequence[str]) -> list[Edit]:
    parameters = tree.pair("parameters")
    names = [key.value for key, _ in parameters[1].value] if parameters else []
    texts = [
        value.value
        for home in ("clauses", "exclusions")
        for key, _ in (tree.pair(home) or (None, _Empty))[1].value
        if key.value not in dropped
        for pair in [tree.pair(home, key.value, "when")]
        if pair
        for value in [pair[1]]
    ]
    amount = tree.pair("amount")
    if amount:
        texts.append(tree.text[amount[1].start_mark.index : amount[1].end_mark.index])
    used = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", " ".join(texts)))
    gone = [name for name in names if name not in used]
    if parameters and len(gone) == len(names):
        return tree.remove(("parameters",))
    return [edit for name in gone for edit in tree.remove(("parameters", name))]


class _Empty:
    value: tuple[Any, ...] = ()
