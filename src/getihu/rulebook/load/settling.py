"""Reads what a rule says beside its conditions: when it decides, how it meets other rules, what
there is to give, and what allows it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from getihu.dataplane.contracts import FactDeclaration, FactType
from getihu.kernel.errors import nearest_name
from getihu.rulebook.load.document import Document, Located
from getihu.rulebook.model.rules import Budget, Ceiling, DecidingDate, Group, LegalBasis


def read_deciding_date(
    document: Document, root: Located, known: Mapping[str, FactDeclaration]
) -> DecidingDate:
    """Which date decides. ``event`` and ``period_end`` name a date among facts and inputs."""
    located = root.get("decides_on")
    if located is None or isinstance(located.value, str):
        return DecidingDate(str(located.value) if located else "as_of")
    if not isinstance(located.value, dict) or len(located.value) != 1:
        return DecidingDate()
    ((kind, name),) = located.items()
    fact = str(name.value)
    if fact not in known or known[fact].type is not FactType.DATE:
        dates = [key for key, each in known.items() if each.type is FactType.DATE]
        near = nearest_name(fact, dates)
        what = "不是日期" if fact in known else "不是事实，也不是这条规则要问的内容"
        document.report(
            f"“{fact}”{what}",
            name,
            f"是不是想写 {near}？" if near else f"日期有：{'、'.join(dates)}。",
            field=f"decides_on.{kind}",
            nearest=near,
        )
        return DecidingDate()
    return DecidingDate(kind, fact)


def read_group(root: Located) -> Group | None:
    plain = _plain(root, "group")
    if not {"id", "how", "source"} <= set(plain):
        return None
    months = plain.get("window_months")
    return Group(
        id=str(plain["id"]),
        how=str(plain["how"]),
        window_months=months if isinstance(months, int) else None,
        source=str(plain["source"]),
    )


def read_budget(
    document: Document, root: Located, known: Mapping[str, FactDeclaration]
) -> Budget | None:
    """What there is to give. The order names facts, inputs or ``amount``; ``-`` turns it round."""
    plain = _plain(root, "budget")
    if "source" not in plain:
        return None
    order = tuple(str(key) for key in plain.get("order") or ())
    located = root.get("budget")
    assert located is not None
    for key in order:
        name = key.removeprefix("-")
        if name not in (*known, "amount", "applied_on"):
            near = nearest_name(name, [*known, "amount", "applied_on"])
            document.report(
                f"排队次序里的“{name}”不是事实",
                located.get("order"),
                f"是不是想写 {near}？" if near else "写事实名、applied_on 或 amount。",
                field="budget.order",
                nearest=near,
            )
    yuan, places = plain.get("yuan"), plain.get("places")
    return Budget(
        yuan=Decimal(yuan) if isinstance(yuan, int | Decimal) else None,
        places=places if isinstance(places, int) else None,
        order=order,
        source=str(plain["source"]),
    )


def read_ceiling(
    document: Document, root: Located, known: Mapping[str, FactDeclaration]
) -> Ceiling | None:
    """The ceiling on all awards of a year; its ``fact`` must be money."""
    plain = _plain(root, "ceiling")
    if not {"id", "fact", "source"} <= set(plain):
        return None
    fact = str(plain["fact"])
    if fact not in known or known[fact].type is not FactType.MONEY:
        money = [name for name, each in known.items() if each.type is FactType.MONEY]
        near = nearest_name(fact, money)
        what = "不是金额" if fact in known else "不是事实，也不是这条规则要问的内容"
        located = root.get("ceiling")
        assert located is not None
        document.report(
            f"上限“{fact}”{what}",
            located.get("fact"),
            f"是不是想写 {near}？" if near else f"金额有：{'、'.join(money)}。",
            field="ceiling.fact",
            nearest=near,
        )
    months = plain.get("from_registered_months")
    return Ceiling(
        id=str(plain["id"]),
        fact=fact,
        from_registered_months=months if isinstance(months, int) else 0,
        source=str(plain["source"]),
    )


def read_overrides(document: Document, root: Located) -> tuple[str, ...]:
    """Rules whose place this one takes inside its region; a national rule can take none."""
    located = root.get("overrides")
    names = tuple(str(item.value) for item in located.elements()) if located else ()
    region = root.get("region")
    if located and names and region and region.value == "CN":
        document.report(
            "全国的规则不能代替别的规则",
            located,
            "后来的规定终止前面的，写在前面规则的 ended_by 里。",
            field="overrides",
        )
    return names


def read_legal_basis(root: Located) -> LegalBasis | None:
    plain = _plain(root, "legal_basis")
    if not {"text", "kind"} <= set(plain):
        return None
    return LegalBasis(str(plain["text"]), str(plain["kind"]))


def _plain(root: Located, key: str) -> Mapping[str, Any]:
    located = root.get(key)
    plain = located.plain() if located is not None else None
    return plain if isinstance(plain, dict) else {}
