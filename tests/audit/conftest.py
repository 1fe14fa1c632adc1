"""A log of one's own per test: data folder, keys made once, events without personal content."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from getihu.audit import guards, selectors, services
from getihu.audit.contracts import AuditEvent, Receipt
from tools import verify_log

AT = datetime(2026, 11, 6, 9, tzinfo=UTC)


def event(number: int = 0, **changed: object) -> AuditEvent:
    told = {
        "kind": "case.accepted",
        "actor": "officer:17",
        "object": f"case:2026-{number:06}",
        "at": AT + timedelta(seconds=number),
        "body": {"number": number},
    }
    return AuditEvent(**{**told, **changed})  # type: ignore[arg-type]


def record(count: int = 1, first: int = 0) -> list[Receipt]:
    with transaction.atomic():
        return services.record_all(event(first + number) for number in range(count))


@contextmanager
def full_database_rights() -> Iterator[None]:
    """What an administrator of the database can do: take the guards away, and put them back."""
    guards.lift(connection)
    yield
    guards.restore(connection)


@pytest.fixture(autouse=True)
def one_quick_key(settings: Any) -> None:
    """SM2 signs in test_signers only: it takes 20 ms a checkpoint."""
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]


@pytest.fixture
def log(data_dir: Path) -> Path:
    """The folder of the published files, with a signed empty log."""
    services.sequence(AT)
    return selectors.log_folder()


@pytest.fixture
def grow(log: Path) -> Callable[[int], list[Receipt]]:
    """Add events to the log and publish them."""

    def add(count: int) -> list[Receipt]:
        receipts = record(count, first=selectors.log_status().signed)
        services.sequence(AT)
        return receipts

    return add


def verify(*arguments: object) -> int:
    """Run the public verifier; 0 means that it found nothing wrong."""
    return verify_log.main([str(argument) for argument in arguments])


def verify_whole(log: Path, *more: object) -> int:
    return verify("log", log, "--keys", log / "keys", *more)
