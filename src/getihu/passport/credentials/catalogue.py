"""The kinds of certificates and the scenes, as their files say them."""

from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from getihu.passport.contracts import ITEMS

_FOLDER: Final = Path(__file__).parent.parent
LICENCE: Final = "business_licence"


class CertificateKind(BaseModel):
    """One kind. ``source``: dataset/kind of a delivery, or filing; empty: not delivered yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    department: str
    law: str
    source: str = ""


class Scene(BaseModel):
    """One use of a licence instead of paper. ``law`` empty: none demands it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    audience: Literal["public", "inspector", "bank"]
    shows: tuple[str, ...]
    law: str = ""


class Streets(BaseModel):
    """示范街区, town code → name, and what makes one count: ``shops_at_least`` different shops
    scanned by somebody else within ``days``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int
    shops_at_least: int
    streets: dict[str, str]


@lru_cache
def certificate_kinds() -> dict[str, CertificateKind]:
    raw = yaml.safe_load((_FOLDER / "certificates.yaml").read_text("utf-8"))
    return {name: CertificateKind(id=name, **one) for name, one in raw.items()}


@lru_cache
def streets() -> Streets:
    return Streets.model_validate(yaml.safe_load((_FOLDER / "streets.yaml").read_text("utf-8")))


@lru_cache
def scenes() -> dict[str, Scene]:
    raw = yaml.safe_load((_FOLDER / "scenes.yaml").read_text("utf-8"))
    found = {name: Scene(id=name, **one) for name, one in raw.items()}
    for scene in found.values():
        unknown = set(scene.shows) - set(ITEMS)
        assert not unknown, f"scenes.yaml {scene.id}: {unknown}"
    return found
