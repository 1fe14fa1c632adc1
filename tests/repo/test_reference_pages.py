"""The reference pages say what the declarations say."""

import pytest

from tools.make_reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_reference_page_is_up_to_date(name):
    written = (FOLDER / f"{name}.md").read_text("utf-8")
    assert written == PAGES[name](), f"运行 python -m tools.make_reference {name}"
