"""What every test folder shares: the reference folder, and a data folder of one's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from getihu.audit import guards


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
