"""One form and one list of documents out of several matters: each thing is asked once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from getihu.cases.matters.bundle import Same, WholeBundle
from getihu.cases.matters.model import Document, FormField
from getihu.kernel.errors import nearest_name

Listed = dict[str, tuple[Any, ...]]  # part → its questions, or its documents
OWN = ""  # stands for the bundle itself beside the ids of its parts


@dataclass(frozen=True)
class MergedField:
    """One question and the parts that ask it (part → its own name of the question)."""

    field: FormField
    asked_by: dict[str, str]

    @property
    def is_own(self) -> bool:
        return OWN in self.asked_by


@dataclass(frozen=True)
class MergedDocument:
    """One document and the parts that want it (part → its own name of the document)."""

    document: Document
    wanted_by: dict[str, str]


Problem = tuple[str, str]  # message, way out


@lru_cache(maxsize=64)
def _merged(text: str) -> tuple[tuple[MergedField, ...], tuple[MergedDocument, ...]]:
    whole = WholeBundle.model_validate_json(text)
    fields, documents, _ = merge(whole)
    return tuple(fields), tuple(documents)


def merged_form(whole: WholeBundle) -> tuple[MergedField, ...]:
    """Every question of a sound bundle, its own first, then in the order of the parts."""
    return _merged(whole.model_dump_json(by_alias=True))[0]


def merged_documents(whole: WholeBundle) -> tuple[MergedDocument, ...]:
    """Every document of a sound bundle, each once."""
    return _merged(whole.model_dump_json(by_alias=True))[1]


def merge(
    whole: WholeBundle,
) -> tuple[list[MergedField], list[MergedDocument], list[Problem]]:
    """The merged form and documents, and every place where two parts do not fit together."""
    asked = {OWN: whole.bundle.questions} | {
        part.id: whole.matters[part.matter].form
        for part in whole.bundle.parts
        if part.matter in whole.matters
    }
    wanted = {
        part.id: whole.matters[part.matter].documents
        for part in whole.bundle.parts
        if part.matter in whole.matters
    }
    fields, field_problems = _join(asked, whole.bundle.same, "问题")
    documents, document_problems = _join(wanted, whole.bundle.same_documents, "材料")
    return (
        [MergedField(item, by) for item, by in fields],
        [MergedDocument(item, by) for item, by in documents],
        [*field_problems, *document_problems],
    )


def _join(
    listed: Listed, same: Iterable[Same], what: str
) -> tuple[list[tuple[Any, dict[str, str]]], list[Problem]]:
    every = {(part, item.id): item for part, items in listed.items() for item in items}
    stands, problems = _stands_for(every, same, what)
    found: dict[str, tuple[Any, dict[str, str]]] = {}
    for part, name in every:
        asked = stands.get((part, name), (part, name))
        key, shown = asked[1], every[asked]
        if key not in found:
            found[key] = (shown, {part: name})
            continue
        before, by = found[key]
        if asked == (part, name) and _wording(before) != _wording(shown):
            problems.append(
                (
                    f"{what}“{name}”在“{part or '一类事本身'}”和“{next(iter(by)) or '一类事本身'}”"
                    "里说法不一样",
                    "改成一样；真是一件事的，在 same 里写用哪一个的说法；不是一件事的，换一个编号。",
                )
            )
        by[part] = name
    problems += _same_thing_twice(found, what)
    return list(found.values()), problems


def _stands_for(
    every: dict[tuple[str, str], Any], same: Iterable[Same], what: str
) -> tuple[dict[tuple[str, str], tuple[str, str]], list[Problem]]:
    stands: dict[tuple[str, str], tuple[str, str]] = {}
    problems: list[Problem] = []
    for each in same:
        asked = _place(each.ask)
        for other in map(_place, each.stands_for):
            unknown = [_ref(place) for place in (asked, other) if place not in every]
            if unknown:
                near = nearest_name(unknown[0], map(_ref, every))
                fix = f"是不是想写 {near}？" if near else f"写成 部分.编号 的{what}。"
                problems.append((f"没有{what}“{unknown[0]}”", fix))
                continue
            if getattr(every[asked], "type", "") != getattr(every[other], "type", ""):
                text = f"“{_ref(asked)}”和“{_ref(other)}”类型不同，不能当一件事"
                problems.append((text, "改成一样的类型。"))
            stands[other] = asked
    return stands, problems


def _same_thing_twice(found: dict[str, tuple[Any, dict[str, str]]], what: str) -> Iterator[Problem]:
    """The same fact, or the same words, under two names would be asked twice."""
    seen: dict[str, str] = {}
    for key, (item, _) in found.items():
        names = [item.label if isinstance(item, FormField) else item.title]
        if isinstance(item, FormField) and item.fact:
            names.append(f"事实 {item.fact}")
        for name in names:
            if name in seen:
                text = f"{what}“{key}”和“{seen[name]}”问的是一件事（{name}）"
                yield text, "在 same 里写用哪一个；不是一件事的，换一个说法。"
                break
            seen[name] = key


def _wording(item: FormField | Document) -> tuple[object, ...]:
    """What must agree for two parts to mean the same; whether it is required may differ."""
    if isinstance(item, FormField):
        return item.label, item.type, item.unit, tuple(item.choices.items()), item.fact
    return item.title, item.held_by


def _place(ref: str) -> tuple[str, str]:
    part, _, name = ref.rpartition(".")
    return part, name


def _ref(place: tuple[str, str]) -> str:
    return ".".join(filter(None, place))
