"""What every test folder shares: the reference folder, and a data folder of one's own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from getihu.accounts import middleware
from getihu.accounts.contracts import CITY, Actor, Duty, Grant, Role, Scope
from getihu.audit import guards

# What a test asks for when it touches a database; the rest runs once, on whichever comes first.
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "own_database"}
# Folders whose tests ask what pages show, not who may see them (that is asked in tests/access).
ABOUT_CONTENT = {"portal", "browser", "rulebook"}
CITY_OFFICER = Actor(
    account_id="6d3c1f6e-0000-4000-8000-000000000001",
    name="示例",
    duty=Duty.BUSINESS,
    grants=tuple(
        Grant(role, "amr", Scope(frozenset({CITY})))
        for role in (Role.CASE_OFFICER, Role.WINDOW_OFFICER, Role.POLICY_WRITER, Role.DATA_OFFICER)
    ),
)


def touches_a_database(item: pytest.Item) -> bool:
    """Without the mark or one of the fixtures pytest-django refuses every query."""
    asked = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(asked & DATABASE_FIXTURES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The second database gets the tests that touch one (``tools.run_tests``)."""
    if os.environ.get("GETIHU_ONLY_DATABASE_TESTS") != "1":
        return
    left_out = [item for item in items if not touches_a_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if touches_a_database(item)]


@pytest.fixture(autouse=True)
def somebody_who_may_see_the_pages(request, monkeypatch) -> None:
    """An officer of the city asks, in those folders, where nobody has signed in."""
    if request.path.parent.name in ABOUT_CONTENT:
        real = middleware._actor

        def actor(asked: Any) -> Actor:
            found = real(asked)
            return CITY_OFFICER if found.is_anonymous else found

        monkeypatch.setattr(middleware, "_actor", actor)
        monkeypatch.setattr("getihu.access.middleware._tell", lambda *told: None)
        # The second wall asks the database, which most of these tests do without.
        monkeypatch.setattr("getihu.access.middleware.walled", nullcontext)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference folder beside the project; tests on its data skip where it is absent."""
    folder = Path(settings.SHARED_DIR)
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder}: these tests read it in place")
    return folder


@pytest.fixture
def data_dir(tmp_path: Path, settings) -> Path:
    """An empty data folder for one test; the data plane writes nowhere else."""
    settings.DATA_DIR = tmp_path
    settings.DEPARTMENT_KEYS_DIR = tmp_path / "keys" / "departments"
    return tmp_path


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated, empty database nobody is connected to, made once and copied."""
    address = os.environ.get("GETIHU_DATABASE_URL", "")
    if not address.startswith("postgres"):
        made = f"sqlite:///{tmp_path_factory.mktemp('migrated') / 'getihu.sqlite3'}"
        _migrate(made)
        yield made
        return
    name = f"migrated_{os.getpid()}"
    with _postgresql(address) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        made = f"{address.rpartition('/')[0]}/{name}"
        _migrate(made)
        yield made
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_database(tmp_path: Path, migrated: str) -> Iterator[str]:
    """The address of a database of one's own, migrated and empty, of the kind the suite runs on,
    for programs in processes of their own."""
    if not migrated.startswith("postgres"):
        path = tmp_path / "getihu.sqlite3"
        shutil.copyfile(migrated.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    name, address = f"own_{os.getpid()}", os.environ["GETIHU_DATABASE_URL"]
    with _postgresql(address) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated.rpartition('/')[2]}")
        yield f"{address.rpartition('/')[0]}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _postgresql(address: str) -> psycopg.Connection:
    return psycopg.connect(address.replace("postgres://", "postgresql://"), autocommit=True)


def _migrate(address: str) -> None:
    root = Path(__file__).parents[1]
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=root,
        env=os.environ | {"GETIHU_DATABASE_URL": address, "PYTHONPATH": str(root / "src")},
        check=True,
    )


@pytest.fixture(scope="session", autouse=True)
def emptying_between_tests_passes_the_guards_of_the_audit_log() -> Iterator[None]:
    """After a transactional test every table is emptied, which the audit log refuses by itself."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def lifted(self: Any, statements: Any) -> None:
        with transaction.atomic(using=self.connection.alias):
            guards.lift(self.connection)
            flush(self, statements)
            guards.restore(self.connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", lifted)
        yield
