"""A worker of its own process for the tests: ``python -m tests.ops.worker VERB …`` with the
database of GETIHU_DATABASE_URL and the folder of GETIHU_DATA_DIR."""

import json
import os
import signal
import sys
from typing import Any

import django

LATE_DAYS = 11  # three days of stop after the clock of eight days ran out
FORM = {"use_area_m2": "80", "seats": 20, "has_signboard": True}


def make(count: int) -> None:
    """An empty database with ``count`` cases whose first clock is running."""
    from django.core.management import call_command

    from getihu.cases import services
    from tests.cases.cast import AT, SHOP, TOWN, make_cast

    call_command("migrate", verbosity=0)
    cast = make_cast()
    for _ in range(count):
        case = services.open_draft("entry.catering_opening", SHOP, place=TOWN, by=cast.owner, at=AT)
        services.save_draft(case, FORM, by=cast.owner)
        services.submit(case, by=cast.owner, at=AT)


def die_at(last: int) -> None:
    """End this process by SIGKILL just before its statement number ``last``."""
    from django.db import connection

    done = 0

    def step(run: Any, *rest: Any) -> Any:
        nonlocal done
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(*rest)

    connection.execute_wrappers.append(step)


def mark_first() -> None:
    """Take the guard away: note every step as done in a transaction of its own, then be killed."""
    from getihu.cases.models import ClockRun, Escalation
    from tests.cases.cast import AT, days

    for clock in ClockRun.objects.filter(due_on__lt=days(LATE_DAYS).date()):
        Escalation.objects.create(clock=clock, step="overdue", due_on=clock.due_on, at=AT)
    os.kill(os.getpid(), signal.SIGKILL)


def work() -> None:
    from getihu.config.cli_ops import run_pass
    from tests.cases.cast import days

    if run_pass(days(LATE_DAYS)).failed:
        sys.exit(1)


def count() -> None:
    from getihu.audit import selectors
    from getihu.audit.models import Event
    from getihu.cases.models import CaseMove, ClockRun, Escalation
    from getihu.notifications.models import Notice
    from tests.cases.cast import days

    today = days(LATE_DAYS).date()
    done = Escalation.objects.values_list("clock_id", "step", "due_on")
    late = set(ClockRun.objects.filter(due_on__lt=today).values_list("pk", flat=True))
    print(
        json.dumps(
            {
                "escalated": len(done),
                "twice": len(done) - len(set(done)),
                "missed": len(late - {row[0] for row in done}),
                "accepted": CaseMove.objects.filter(after="accepted").count(),
                "unsent": Notice.objects.filter(channel="in_app", state="waiting").count(),
                "unlogged": Event.objects.filter(log_index=None).count(),
                "findings": [finding.message for finding in selectors.check_log()],
            }
        )
    )


if __name__ == "__main__":
    django.setup()
    verb, *more = sys.argv[1:]
    if verb == "make":
        make(int(more[0]))
    elif verb == "mark-first":
        mark_first()
    elif verb == "count":
        count()
    else:
        if more:
            die_at(int(more[0]))
        work()
