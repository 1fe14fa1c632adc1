"""Kills the sequencer at every step and finishes its work: a program of its own.

``python -m tests.audit.killed FOLDER STRIDE [--publish-first]`` prints JSON. The folder is
GETIHU_DATA_DIR, the database that of GETIHU_DATABASE_URL. A step is a statement, a commit, or a
call that opens, syncs or renames a file; each run is ended by SIGKILL just before one of them.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import django

AT = datetime(2026, 11, 6, 9, tzinfo=UTC)
EVENTS = 130  # per round, so that some rounds fill a tile and some do not


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked process with its own database connection; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)


def kill_before_step(last: int) -> None:
    """From now on count the steps of this process and end it before step ``last``."""
    from django.db import connection

    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            step()
            return function(*args, **kwargs)

        return call

    for name in ("open", "fsync", "replace", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    connection._commit = counted(connection._commit)
    connection.execute_wrappers.append(lambda run, *rest: (step(), run(*rest))[1])


def tell(round_: int) -> None:
    from django.db import transaction

    from getihu.audit import services
    from getihu.audit.contracts import AuditEvent

    with transaction.atomic():
        services.record_all(
            AuditEvent("case.accepted", "officer:17", f"case:{round_}-{number}", AT, {"n": number})
            for number in range(EVENTS)
        )


def sequence() -> None:
    from getihu.audit import services

    services.sequence(AT)


def sequence_until(step: int) -> None:
    kill_before_step(step)
    sequence()


def recover(log: Path) -> None:
    """What the next run does, and whether an outsider with a memory is content."""
    from getihu.audit import selectors
    from getihu.audit.models import Event
    from tools import verify_log

    sequence()
    witness = str(log.parent / "witness")
    keys = str(log / "keys")
    if verify_log.main(["log", str(log), "--keys", keys, "--witness", witness]):
        raise SystemExit("the verifier is not content")
    findings = selectors.check_log()
    if findings or Event.objects.filter(log_index=None).exists():
        raise SystemExit(f"not whole: {findings}")


def see(log: Path) -> None:
    """Remember what was published at this moment, even in the middle of a crash."""
    from tools import verify_log

    if (log / "checkpoint").exists():
        keys, witness = str(log / "keys"), str(log.parent / "witness")
        if verify_log.main(["log", str(log), "--keys", keys, "--witness", witness]):
            raise SystemExit("what a crash left published does not verify")


def publish_first() -> None:
    """Take the guard away: publish a checkpoint before the database keeps it."""
    from getihu.audit.models import Checkpoint
    from getihu.audit.services import sequencing

    keep = Checkpoint.objects.create

    def swapped(**row: Any) -> None:
        sequencing._publish(
            sequencing.Checkpoint(row["size"], bytes.fromhex(row["root"]), row["note"])
        )
        keep(**row)

    sequencing.CheckpointRow.objects.create = swapped  # type: ignore[method-assign]


def main() -> None:
    log, stride = Path(sys.argv[1]) / "audit", int(sys.argv[2])
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    connection.close()
    sys.stdout.flush()
    if "--publish-first" in sys.argv:
        publish_first()
    in_child(sequence)
    killed, failed, step = 0, 0, 1
    while True:
        in_child(partial(tell, step))
        ended = in_child(partial(sequence_until, step))
        failed += in_child(partial(see, log)) != 0
        failed += in_child(partial(recover, log)) != 0
        if ended == 0:
            break
        killed += ended == -signal.SIGKILL
        step += stride
        if failed:
            break
    print(json.dumps({"killed": killed, "failed": failed, "steps": step}))


if __name__ == "__main__":
    main()
