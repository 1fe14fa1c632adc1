"""Texts of notices from their templates. A value can only ever be text inside one line."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from string import Template

import yaml
from pydantic import BaseModel, ConfigDict, Field

from getihu.kernel.errors import GetihuError, nearest_name
from getihu.notifications.contracts import Channel

LONGEST_VALUE = 200
_ADDRESS = re.compile(r"(?i)(https?:|www\.|[a-z0-9-]+\.(com|cn|net|top|xyz|cc|vip|link|me)\b)")


class BadNotice(GetihuError):
    """A notice that cannot be written: unknown template, missing value, a value that is no text."""


class NoticeTemplate(BaseModel):
    """The texts of one kind of notice; a channel without a text does not carry it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    title: str
    by_law: bool = False
    urgent: bool = False
    in_app: str
    sms: str = ""
    email: str = ""

    @property
    def topic(self) -> str:
        """What people decline: the part of the id before the dot."""
        return self.id.partition(".")[0]

    def text_for(self, channel: Channel) -> str:
        return str(getattr(self, channel.value))


@lru_cache
def templates() -> dict[str, NoticeTemplate]:
    """Every template by id."""
    text = resources.files("getihu.notifications").joinpath("templates.yaml").read_text("utf-8")
    read = [NoticeTemplate.model_validate(item) for item in yaml.safe_load(text)]
    return {template.id: template for template in read}


def get_template(template_id: str) -> NoticeTemplate:
    """One template. Raises BadNotice."""
    if template_id not in templates():
        near = nearest_name(template_id, templates())
        raise BadNotice(f"没有通知模板“{template_id}”。" + (f"是不是想写 {near}？" if near else ""))
    return templates()[template_id]


def write_text(template: NoticeTemplate, channel: Channel, values: Mapping[str, str]) -> str:
    """The text of a notice. Raises BadNotice: a value is missing, or brings an address along."""
    clean = {name: plain(value) for name, value in values.items()}
    try:
        return Template(template.text_for(channel)).substitute(clean)
    except KeyError as error:
        raise BadNotice(f"通知“{template.id}”缺少内容：{error.args[0]}。") from None


def plain(value: str) -> str:
    """One line of plain text: no control, direction or format characters, not too long.

    Raises BadNotice where the value holds an address: nobody's shop name may send people to a
    page (短信不带链接).
    """
    if _ADDRESS.search(unicodedata.normalize("NFKC", value)):
        raise BadNotice("通知里的内容不能带网址。处理办法：去掉网址再发。")
    kept = "".join(" " if c in "\r\n\t" else c for c in value if _is_text(c) or c in "\r\n\t")
    shown = " ".join(kept.split())
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 1]}…"


def _is_text(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Cn")
