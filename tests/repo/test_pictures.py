"""Every picture of the manual is taken by a test, stands in a page, and none is left over."""

import ast
import re
from pathlib import Path

from tests.browser.pictures import FOLDER, ROOT, known

_LINK = re.compile(r"!\[[^\]]+\]\(([^)]+\.png)\)")
_TAKEN_BY = ROOT / "tests" / "browser" / "test_pictures_in_chromium.py"


def linked() -> dict[Path, list[Path]]:
    """Picture → the pages it stands in."""
    found: dict[Path, list[Path]] = {}
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in _LINK.findall(page.read_text("utf-8")):
            found.setdefault((page.parent / target).resolve(), []).append(page)
    return found


def taken() -> set[str]:
    """The names the tests take pictures under: first in each row of a parametrised test, and the
    values of a table ``PICTURES`` of any browser test."""
    tree = ast.parse(_TAKEN_BY.read_text("utf-8"))
    rows = [
        element.elts[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.parametrize"
        for element in ast.walk(node.args[1])
        if isinstance(element, ast.Tuple)
    ]
    tables = [
        node.value.values
        for file in _TAKEN_BY.parent.glob("test_*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "PICTURES"
        and isinstance(node.value, ast.Dict)
    ]
    rows += [name for table in tables for name in table]
    return {row.value for row in rows if isinstance(row, ast.Constant)}


def test_every_picture_is_taken_by_a_test_and_known():
    assert taken() == set(known()) == {path.stem for path in FOLDER.glob("*.png")}


def test_every_picture_stands_in_a_page_and_every_link_leads_to_one():
    assert set(linked()) == {path.resolve() for path in FOLDER.glob("*.png")}
