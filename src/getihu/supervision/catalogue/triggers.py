"""What brings an inspector to a door without a draw: one YAML file a trigger."""

from functools import lru_cache
from typing import Annotated, Final, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, model_validator

from getihu.kernel.errors import GetihuError, nearest_name
from getihu.supervision.catalogue.files import Stamps, read_files, stamps_of

HOW_TO: Final = "照 supervision/triggers 里的其他文件改。"
Text = Annotated[str, Field(min_length=1)]


class UnknownTrigger(GetihuError):
    """No trigger has this id."""

    exit_code = 3


class Trigger(BaseModel):
    """``rule``: the rule whose yes is the signal, of a data trigger. ``quiet_months``: how long the
    same trigger does not bring a second check of the same trader; 0: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Text
    title: Text
    source: Literal["complaint", "transfer", "data"]
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    rule: str
    basis: Text
    quiet_months: Annotated[int, Field(ge=0)]
    quiet_source: Text

    @model_validator(mode="after")
    def _has_a_rule_where_data_tell(self) -> "Trigger":
        if (self.source == "data") is not bool(self.rule):
            raise ValueError("数据线索要写 rule，别的不写")
        return self


def list_triggers() -> list[Trigger]:
    """Every trigger, by id. Raises InvalidInput with every problem of every file."""
    return sorted(_triggers(_stamps()).values(), key=lambda trigger: trigger.id)


def get_trigger(trigger_id: str) -> Trigger:
    """Raises UnknownTrigger with the nearest id."""
    known = _triggers(_stamps())
    if trigger_id not in known:
        near = nearest_name(trigger_id, known)
        hint = f"最接近的是 {near}" if near else f"现有：{'、'.join(sorted(known))}"
        raise UnknownTrigger(f"没有触发规则 {trigger_id}。{hint}。")
    return known[trigger_id]


def _stamps() -> Stamps:
    return stamps_of([settings.TRIGGER_DIR])


@lru_cache(maxsize=4)
def _triggers(stamps: Stamps) -> dict[str, Trigger]:
    return read_files(Trigger, stamps, HOW_TO)
