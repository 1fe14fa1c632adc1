"""The documents rules rest on: who issued each and when it was signed."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

_FILE: Final = Path(__file__).parent / "documents.yaml"


@dataclass(frozen=True)
class Document:
    """One document. ``issued_by`` empty, ``signed_on`` None: the text seen does not say. ``doubt``:
    why it may be over though no end was seen; empty where nothing says so."""

    document: str
    issued_by: tuple[str, ...] = ()
    with_others: str = ""
    signed_on: date | None = None
    doubt: str = ""

    @property
    def agencies(self) -> str:
        """The issuers as people write them; 未见发文机关 when not known."""
        return "、".join(self.issued_by) + self.with_others if self.issued_by else "未见发文机关"


@lru_cache
def documents() -> dict[str, Document]:
    """Every document on file, by the name rules cite it with."""
    return {
        raw["document"]: Document(
            raw["document"],
            tuple(raw["issued_by"]),
            raw.get("with", ""),
            raw.get("signed_on"),
            raw.get("doubt", ""),
        )
        for raw in yaml.safe_load(_FILE.read_text("utf-8"))
    }


def document_of(name: str) -> Document:
    """One document; one that is not on file has neither issuer nor date."""
    return documents().get(name, Document(name))
