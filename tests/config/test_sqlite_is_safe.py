"""The service refuses to start on an SQLite that can lose acknowledged data."""

import sqlite3

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from getihu.config import checks, settings

pytestmark = pytest.mark.django_db


@pytest.fixture
def database(tmp_path):
    """A connection with our options, changed as the test asks."""

    def connect(**options):
        wrapper = DatabaseWrapper(
            {
                **connections.settings["default"],
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(tmp_path / "db.sqlite3"),
                "OPTIONS": {**settings.SQLITE_OPTIONS, **options},
            },
            "default",
        )
        opened.append(wrapper)
        return wrapper

    opened: list[DatabaseWrapper] = []
    yield connect
    for wrapper in opened:
        wrapper.close()


def test_our_own_settings_are_accepted(database):
    assert checks._sqlite_errors("default", database()) == []


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"init_command": "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; "
                          "PRAGMA foreign_keys=ON"}, "EXTRA"),
        ({"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                          "PRAGMA foreign_keys=ON"}, "synchronous=FULL"),
        ({"init_command": "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; "
                          "PRAGMA foreign_keys=OFF"}, "外键"),
        ({"init_command": settings.SQLITE_OPTIONS["init_command"] + "PRAGMA mmap_size=1000000"},
         "内存映射"),
        ({"transaction_mode": "DEFERRED"}, "IMMEDIATE"),
    ],
    ids=["journal without EXTRA", "WAL without FULL", "no foreign keys", "mmap", "deferred"],
)  # fmt: skip
def test_refuses_settings_that_lose_data(database, options, word):
    errors = checks._sqlite_errors("default", database(**options))
    assert any(word in error.msg for error in errors)


def test_refuses_wal_on_a_library_with_the_reset_bug(database, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    wal = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"
    errors = checks._sqlite_errors("default", database(init_command=wal))
    assert any("WAL 有损坏数据的缺陷" in error.msg for error in errors)
