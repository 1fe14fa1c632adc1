"""One of several processes that award the same traders at once: ``make``, ``write``, ``count``."""

import json
import random
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
FAMILY, PERIOD = "tests.family", "2026"


def code(number: int) -> str:
    return f"92330300TEST{number:06}"


def make(writers: int) -> None:
    """A started run, with a budget of its own, for each writer: nothing but the constraint stands
    between them."""
    from django.core.management import call_command

    from getihu.policies.models import AwardRun, Budget

    call_command("migrate", verbosity=0)
    for number in range(writers):
        AwardRun.objects.create(
            programme_id=f"tests.programme{number}",
            period=PERIOD,
            family=FAMILY,
            rule_id="tests.rule",
            rule_version="1",
            as_of=date(2026, 10, 31),
            snapshot_id="s",
            state="allotting",
            is_dry=False,
            planned_at=AT,
        )
        Budget.objects.create(
            programme_id=f"tests.programme{number}", period=PERIOD, total_cents=10**12
        )


def unguard() -> None:
    """Take the guard away."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX policies_one_award")


def meet(number: int, writers: int) -> None:
    """Wait until every writer is here: one that starts late would race with nobody."""
    from django.conf import settings

    folder = Path(settings.DATA_DIR) / "writers"
    folder.mkdir(exist_ok=True)
    (folder / str(number)).touch()
    while len(list(folder.iterdir())) < writers:
        time.sleep(0.01)


def write(number: int, writers: int, traders: int, how: str) -> None:
    from django.db import transaction

    from getihu.policies.models import AwardRun, Budget
    from getihu.policies.programmes import read_programmes
    from getihu.policies.services import allotting
    from getihu.policies.services.planning import Line

    demo = Path("src/getihu/gateways/demo_city/awards/demo.steady_jobs_2026.yaml")
    (programme,) = read_programmes([demo])[0].values()
    name = f"tests.programme{number}"
    run = AwardRun.objects.get(programme_id=name)
    budget = Budget.objects.get(programme_id=name)
    lines = [Line(code(n), 30_000, "330302") for n in range(traders)]
    random.Random(number % 2).shuffle(lines)  # half of them meet head-on, half come behind
    slips: dict[str, Any] = {
        line.trader_code: SimpleNamespace(sha256="0" * 64, content=b"{}") for line in lines
    }
    meet(number, writers)
    for start in range(0, traders, 20):
        stretch = lines[start : start + 20]
        if how == "guarded":
            with transaction.atomic():
                allotting.allot_stretch(run, programme, budget.pk, start, stretch, slips, AT)
        else:
            check_then_insert(run, budget, start, stretch)


def check_then_insert(run: Any, budget: Any, start: int, stretch: Any) -> None:
    """What one would write without thinking of others."""
    import uuid

    from django.db import transaction

    from getihu.policies.models import Award

    with transaction.atomic():
        for position, line in enumerate(stretch, start + 1):
            own = {"family": FAMILY, "subject": line.trader_code, "period": PERIOD}
            if not Award.objects.filter(**own).exists():
                Award.objects.create(
                    id=uuid.uuid4(),
                    run=run,
                    budget=budget,
                    trader_code=line.trader_code,
                    division=line.division,
                    position=position,
                    cents=line.cents,
                    state="entitled",
                    slip_sha256="0" * 64,
                    slip=b"{}",
                    confirm_until=date(2026, 12, 31),
                    entitled_at=AT,
                    **own,
                )


def count() -> None:
    from django.db.models import Count, Sum

    from getihu.policies.models import Award, Budget, LedgerEntry

    twice = Award.objects.values("family", "subject", "period").annotate(n=Count("id"))
    found = {
        "awards": Award.objects.count(),
        "twice": twice.filter(n__gt=1).count(),
        "cents": Award.objects.aggregate(n=Sum("cents"))["n"] or 0,
        "reserved": Budget.objects.aggregate(n=Sum("reserved_cents"))["n"] or 0,
        "entered": LedgerEntry.objects.aggregate(n=Sum("cents"))["n"] or 0,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    django.setup()
    command, *given = sys.argv[1:]
    if command == "write":
        write(*map(int, given[:3]), given[3])
    else:
        {"make": make, "unguard": unguard, "count": count}[command](*map(int, given))
