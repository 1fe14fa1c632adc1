"""Whether a rule that can be read also makes sense: units, contradictions, what nobody reaches."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.load.document import Document
from getihu.rulebook.model.rules import Rule

_PROGRAM = ("logic.py", "units.py", "sense.py")


def check_sense(
    rule: Rule,
    document: Document,
    facts: Mapping[str, FactDeclaration],
    proved: Path | None = None,
) -> None:
    """Report what can never happen. A text found good is remembered in ``proved``, so that only
    a new text, new declarations of its facts or a new prover cost time again."""
    mark = proved / _fingerprint(rule, document, facts) if proved else None
    if mark is not None and mark.exists():
        return
    from getihu.rulebook.load import logic, units  # the prover is loaded only when needed

    found = [*units.mismatches(rule, facts), *logic.findings(rule, facts)]
    for each in found:
        document.report(
            each.message,
            _place(document, each.path),
            each.fix,
            field=".".join(str(part) for part in each.path),
        )
    if mark is not None and not found:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _place(document: Document, path: tuple[str | int, ...]) -> tuple[int, int] | None:
    """Line and column of the deepest part of a path that is there."""
    here = document.root
    place = (here.line, here.column) if here else None
    for part in path:
        if here is None:
            break
        if isinstance(part, int):
            items = here.elements()
            here = items[part] if part < len(items) else None
        else:
            here = here.get(part)
        if here is not None:
            place = (here.line, here.column)
    return place


def _fingerprint(rule: Rule, document: Document, facts: Mapping[str, FactDeclaration]) -> str:
    used = {name: repr(facts[name]) for name in sorted(rule.facts) if name in facts}
    program = [Path(__file__).with_name(name).read_bytes() for name in _PROGRAM]
    seen = hashlib.sha256(document.text.encode("utf-8"))
    for part in (repr(used).encode("utf-8"), *program):
        seen.update(hashlib.sha256(part).digest())
    return seen.hexdigest()
