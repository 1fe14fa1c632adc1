"""When one may apply for 名特优新, by county and year; as the notices of the counties say."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from django.conf import settings
from pydantic import Field, model_validator

from getihu.accounts.selectors import is_demo
from getihu.growth.catalogue.reading import Part, Source, Standard, Text, read_files
from getihu.kernel.errors import GetihuError


class NoWindow(GetihuError):
    """Nobody can apply here today."""


class Window(Part):
    """One window. The first and the last day count. None: the notice does not say, or the part
    that says it was not seen. ``rule`` holds the county's visible conditions."""

    id: Text
    title: Text
    region: Annotated[str, Field(pattern=r"^\d{6}$")]
    year: Annotated[int, Field(ge=2022, le=2100)]
    opens_on: date
    closes_on: date | None = None
    reviewed_from: date | None = None  # while reviewing nobody can apply
    reviewed_until: date | None = None
    counts_from: date | None = None  # from when a recognition counts; None: from the decision
    term_months: Standard | None = None
    rule: str = ""
    channel: str = ""
    note: str = ""
    source: Source

    @model_validator(mode="after")
    def _in_order(self) -> "Window":
        days = [self.opens_on, self.closes_on, self.reviewed_from, self.reviewed_until]
        known = [day for day in days if day is not None]
        if known != sorted(known):
            raise ValueError("日期的先后不对：开始、截止、评审开始、评审结束")
        return self

    def is_open(self, on: date) -> bool:
        """Whether one may apply on a day. A window whose last day was not seen is never open:
        what is not known cannot be promised."""
        return self.closes_on is not None and self.opens_on <= on <= self.closes_on


def windows() -> dict[str, Window]:
    """Every window, by id; a demo city adds its own. Raises InvalidInput."""
    demo = [settings.DEMO_DIRS["windows"]] if is_demo() else []
    folders = [*settings.WINDOW_DIRS, *demo]
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.yaml"))]
    return _read(tuple((path, path.stat().st_mtime_ns) for path in files))


def find_window(county_code: str, on: date) -> Window | None:
    """The window that is open for a county on a day; None when there is none."""
    fitting = [w for w in windows().values() if w.region == county_code and w.is_open(on)]
    return max(fitting, key=lambda w: w.opens_on, default=None)


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int], ...]) -> dict[str, Window]:
    return read_files((path for path, _ in files), Window)
