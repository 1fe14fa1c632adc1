"""The manual's pictures: taken by the browser tests, and known to be out of date.

Beside each picture ``pictures.json`` keeps a digest of what is on the page (its words) and of the
stylesheets that draw it. A test that shows a page of the manual compares; ``make pictures`` takes
them again. Digests, not pixels: fonts differ from machine to machine.
"""

import hashlib
import json
import os
import re
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images"
INDEX = FOLDER / "pictures.json"
_DRAWN = re.compile(r"(?<=\d{8}-)[0-9A-F]{8}")
TAKE = "GETIHU_TAKE_PICTURES"


def known() -> dict[str, str]:
    """Picture name → digest of the page it was taken of."""
    found: dict[str, str] = json.loads(INDEX.read_text("utf-8")) if INDEX.exists() else {}
    return found


def digest(page: Page) -> str:
    """Of the words a reader sees, blanks and the drawn ends of case numbers left out, and of
    every stylesheet of ours."""
    words = _DRAWN.sub("", "".join(page.inner_text("body").split()))
    made = hashlib.sha256(words.encode())
    for sheet in sorted((ROOT / "src").glob("getihu/**/static/**/*.css")):
        made.update(sheet.read_bytes())
    return made.hexdigest()[:16]


def check(page: Page, name: str) -> None:
    """The picture ``name`` is of this page as it is now; with the environment variable
    GETIHU_TAKE_PICTURES it is taken."""
    now = digest(page)
    if os.environ.get(TAKE):
        FOLDER.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=FOLDER / f"{name}.png", full_page=False)
        text = json.dumps({**known(), name: now}, indent=1, sort_keys=True)
        INDEX.write_text(f"{text}\n", "utf-8")
        return
    assert (FOLDER / f"{name}.png").exists(), f"no picture {name}: run make pictures"
    assert known().get(name) == now, f"the picture {name} is out of date: run make pictures"
