"""What the cases need from outside: somebody who looks into files before they are kept, and those
who act on what was decided."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from getihu.accounts.contracts import Actor


@dataclass(frozen=True)
class Finding:
    """What a scanner says of a file. ``refused`` is empty for a clean one, else why, in Chinese."""

    scanner: str
    refused: str = ""


class Scanner(Protocol):
    """Looks into a file. Raises ScannerUnavailable; a file nobody looked at is never kept."""

    def __call__(self, content: bytes) -> Finding: ...


class ScannerUnavailable(Exception):
    """The scanner did not answer."""


# What makes a PDF act by itself (ISO 32000 12.6, 7.11.4), and the test file every scanner knows.
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA|OpenAction|AA)\b")
_TEST_VIRUS = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


def look_for_active_content(content: bytes) -> Finding:
    """The scanner of a first run: refuses PDFs that act and the scanners' test file.

    It knows no viruses and does not see into compressed parts of a PDF; an installation names a
    virus scanner in ``ATTACHMENT_SCANNER``.
    """
    name = "active-content"
    if _TEST_VIRUS in content:
        return Finding(name, "文件里有病毒（检测用样本）")
    if content.startswith(b"%PDF-") and _ACTIVE.search(content):
        return Finding(name, "PDF 里有会自动运行的内容")
    return Finding(name)


def scanner() -> Scanner:
    """The scanner this installation names."""
    found: Scanner = import_string(settings.ATTACHMENT_SCANNER)
    return found


@dataclass(frozen=True)
class CaseFile:
    """A case as those see it who act on it: what was asked for, by whom, for which trader."""

    case_id: uuid.UUID
    number: str
    matter_id: str
    trader_code: str
    division: str
    form: Mapping[str, object]
    opened_by: uuid.UUID
    definition_id: str | None = None


class Consequence(Protocol):
    """Somebody who keeps what a granted case changes (the register, a licence). Called for every
    case, in the transaction of the move; what it raises (GetihuError) stops the move."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        """Raise what makes the case impossible now, so that nobody hands it in for nothing."""

    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        """Do what follows from the grant."""


_consequences: list[Consequence] = []


def when_decided(consequence: Consequence) -> None:
    """Have somebody act on cases from now on; one of each class, in the order of registration."""
    if not any(type(each) is type(consequence) for each in _consequences):
        _consequences.append(consequence)


def consequences() -> tuple[Consequence, ...]:
    return tuple(_consequences)


class EndListener(Protocol):
    """Somebody who goes on once a case has ended, after everything that follows from its end."""

    def ended(self, case: CaseFile, state: str, *, at: datetime) -> None: ...


_end_listeners: list[EndListener] = []


def when_ended(listener: EndListener) -> None:
    """Have somebody go on when cases end; one of each class, in the order of registration."""
    if not any(type(each) is type(listener) for each in _end_listeners):
        _end_listeners.append(listener)


def end_listeners() -> tuple[EndListener, ...]:
    return tuple(_end_listeners)


class Gate(Protocol):
    """Somebody who says what must be true before a stage of a matter may pass. Called in the
    transaction of the step; what it raises (GetihuError) stops it."""

    def before_stage_passes(
        self, case: CaseFile, stage_id: str, *, by: Actor, at: datetime
    ) -> None: ...


_gates: list[Gate] = []


def when_passing(gate: Gate) -> None:
    """Have a gate asked from now on; one of each class, in the order of registration."""
    if not any(type(each) is type(gate) for each in _gates):
        _gates.append(gate)


def gates() -> tuple[Gate, ...]:
    return tuple(_gates)
