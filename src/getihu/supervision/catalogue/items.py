"""What may be found at a visit, the rule that decides it, and how comparable cases are cut."""

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

HOW_TO: Final = "照 supervision/lists/items.yaml 里的其他行改。"
Text = Annotated[str, Field(min_length=1)]


class UnknownItem(GetihuError):
    """No item has this id."""

    exit_code = 3


class Bands(BaseModel):
    """Cuts of a quantity; each upper end belongs to the band below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    fact: Text
    unit: Text
    upto: Annotated[tuple[Decimal, ...], Field(min_length=1)]

    def band_of(self, quantity: Decimal | None) -> str:
        """The band in words; empty for an unknown quantity.

        >>> bands = Bands(fact="x", unit="元", upto=("100.00", "500.00"))
        >>> bands.band_of(Decimal("500.00")), bands.band_of(Decimal("500.01"))
        ('超过100.00元、不超过500.00元', '超过500.00元')
        """
        if quantity is None:
            return ""
        below = ""
        for edge in self.upto:
            if quantity <= edge:
                return f"{below}不超过{edge}{self.unit}"
            below = f"超过{edge}{self.unit}、"
        return below.rstrip("、")


class Item(BaseModel):
    """One item. ``agency``: the department that decides it; ``kind``: what counts as 同类违法;
    ``area``: the field of the departments' penalty data in which an older one may lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Text
    title: Text
    rule: Text
    agency: Text
    area: Text
    kind: str = ""
    lenient: tuple[str, ...] = ("yes",)
    open: tuple[str, ...] = ()
    bands: Bands | None = None

    @property
    def same_kind(self) -> str:
        return self.kind or self.id


def list_items() -> list[Item]:
    """Every item in the order of the file. Raises InvalidInput with every problem."""
    return list(_items(str(_file()), _file().stat().st_mtime_ns).values())


def get_item(item_id: str) -> Item:
    """Raises UnknownItem with the nearest id."""
    known = {item.id: item for item in list_items()}
    if item_id not in known:
        near = nearest_name(item_id, known)
        raise UnknownItem(
            f"清单里没有 {item_id}。" + (f"最接近的是 {near}。" if near else "从列表里选。")
        )
    return known[item_id]


def _file() -> Path:
    return Path(settings.BREACH_ITEMS_FILE)


@lru_cache(maxsize=2)
def _items(name: str, stamp: int) -> dict[str, Item]:
    try:
        rows: Any = yaml.safe_load(Path(name).read_text("utf-8"))
        items = TypeAdapter(list[Item]).validate_python(rows)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise InvalidInput([Problem("YAML 写法不对", name, line, fix="核对缩进和冒号。")]) from None
    except ValidationError as error:
        raise InvalidInput(
            [
                Problem(each["msg"], name, field=".".join(map(str, each["loc"])), fix=HOW_TO)
                for each in error.errors()
            ]
        ) from None
    found: dict[str, Item] = {}
    for item in items:
        if item.id in found:
            raise InvalidInput([Problem(f"{item.id} 写了两次", name, field="id", fix=HOW_TO)])
        found[item.id] = item
    return found
