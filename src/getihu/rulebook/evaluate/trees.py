"""Trees of clauses in three values: yes True, no False, unknown None."""

from collections.abc import Iterable, Mapping

from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Tree

Results = Mapping[str, bool | None]


def tree_value(tree: Tree, results: Results) -> bool | None:
    """The answer of a tree, given the answers of the clauses."""
    match tree:
        case ClauseRef(name):
            return results[name]
        case AllOf(items):
            values = [tree_value(item, results) for item in items]
            return False if False in values else None if None in values else True
        case AnyOf(items):
            values = [tree_value(item, results) for item in items]
            return True if True in values else None if None in values else False
        case NoneOf(items):
            values = [tree_value(item, results) for item in items]
            return False if True in values else None if None in values else True
        case AtLeast(n, items):
            values = [tree_value(item, results) for item in items]
            yes = values.count(True)
            return True if yes >= n else False if yes + values.count(None) < n else None


def deciding_clauses(tree: Tree, results: Results) -> set[str]:
    """The clauses that make the tree what it is.

    For yes, enough clauses to hold it up; for no, every clause that stands in the way; for
    unknown, every clause whose answer is still needed.
    """
    return set(_deciding(tree, results, tree_value(tree, results)))


def _deciding(tree: Tree, results: Results, value: bool | None) -> Iterable[str]:
    if isinstance(tree, ClauseRef):
        return [tree.id]
    of = [(item, tree_value(item, results)) for item in tree.items]
    match tree:
        case AllOf():
            chosen = [item for item, v in of if v is value]
        case AnyOf():
            chosen = [item for item, v in of if v is value]
            chosen = chosen[:1] if value is True else chosen
        case NoneOf():
            wanted = None if value is None else not value
            chosen = [item for item, v in of if v is wanted]
        case AtLeast(n):
            chosen = [item for item, v in of if v is value]
            chosen = chosen[:n] if value is True else chosen
    return [name for item in chosen for name in _deciding(item, results, tree_value(item, results))]
