"""Reads the tree of a rule: clause ids joined by all_of, any_of, none_of and at_least."""

from collections.abc import Collection

from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Tree

_GROUPS: dict[str, type[AllOf] | type[AnyOf] | type[NoneOf]] = {
    "all_of": AllOf,
    "any_of": AnyOf,
    "none_of": NoneOf,
}
_KEYS = (*_GROUPS, "at_least")


def read_tree(
    document: Document, located: Located, clauses: Collection[str], used: set[str], field: str
) -> Tree | None:
    """The tree at a place; None once a problem was reported. Adds the ids it names to ``used``."""
    if isinstance(located.value, str):
        return _reference(document, located, clauses, used, field)
    if not isinstance(located.value, dict) or len(located.value) != 1:
        document.report(
            "这里要写一个条件编号，或只有一个键的组合",
            located,
            f"写成 {{all_of: [a, b]}}；键可用：{'、'.join(_KEYS)}。",
            field=field,
        )
        return None
    ((key, inner),) = located.items()
    if key == "at_least":
        return _at_least(document, inner, clauses, used, f"{field}.{key}")
    if key not in _GROUPS:
        near = nearest_name(key, _KEYS)
        fix = f"是不是想写 {near}？" if near else f"可用：{'、'.join(_KEYS)}。"
        document.report(
            f"不认识的组合“{key}”", located.key_place(key), fix, field=field, nearest=near
        )
        return None
    items = _items(document, inner, clauses, used, f"{field}.{key}")
    return None if items is None else _GROUPS[key](items)


def _reference(
    document: Document, located: Located, clauses: Collection[str], used: set[str], field: str
) -> ClauseRef | None:
    name: str = located.value
    if name in clauses:
        used.add(name)
        return ClauseRef(name)
    near = nearest_name(name, clauses)
    fix = f"是不是想写 {near}？" if near else f"可用：{'、'.join(clauses)}。"
    document.report(f"clauses 里没有“{name}”", located, fix, field=field, nearest=near)
    return None


def _items(
    document: Document, located: Located, clauses: Collection[str], used: set[str], field: str
) -> tuple[Tree, ...] | None:
    if not located.elements():
        document.report("这里要有一个不空的列表", located, "写成 [a, b]。", field=field)
        return None
    read = [read_tree(document, item, clauses, used, field) for item in located.elements()]
    items = tuple(item for item in read if item is not None)
    return items if len(items) == len(read) else None


def _at_least(
    document: Document, located: Located, clauses: Collection[str], used: set[str], field: str
) -> AtLeast | None:
    n, of = located.get("n"), located.get("of")
    if n is None or of is None or len(located.items()) != 2:
        document.report(
            "at_least 要有 n 和 of 两个键", located, "写成 {n: 2, of: [a, b, c]}。", field=field
        )
        return None
    items = _items(document, of, clauses, used, f"{field}.of")
    count = len(of.elements())
    if not isinstance(n.value, int) or isinstance(n.value, bool) or not 1 <= n.value <= count:
        document.report(
            f"at_least 的 n 应当在 1 到 {count} 之间", n, f"of 里一共 {count} 项。", field=field
        )
        return None
    return None if items is None else AtLeast(n.value, items)
