"""One whole award run of the demo city: tried out, approved, awarded until the budget ends, a part
confirmed, sampled, released by two people, paid by a made-up treasury, reconciled.

By the same services as a real one. The cast's own shops are left to confirm.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.notifications import services as notifications
from getihu.policies import selectors, services
from getihu.policies.contracts import AwardState, yuan_of

PROGRAMME = "demo.steady_jobs_2026"
CONFIRMED = 200  # operators who have said yes already
BANK = "示例银行"


def open_awards(settings: Any, *, at: datetime) -> int:
    """Make the demo's award run once; returns how many were paid. Without a cast there is none."""
    cast = read_cast(at)
    names = ("demo-policy", "demo-policy-chief", "demo-award", "demo-finance", "demo-operators")
    if selectors.list_runs() or not all(name in cast for name in names):
        return 0
    writer, chief, checker, cashier, operators = (cast[name] for name in names)
    owned = {code for person in cast.values() for code in person.own}
    began = at - timedelta(days=5)
    answer_review(selectors.get_programme(PROGRAMME).rule, chief, began)
    dry = services.plan_run(PROGRAMME, by=writer, at=began)
    if dry.findings:
        return 0  # a city too small to have anybody to pay
    services.approve_run(dry.pk, by=chief, at=began + timedelta(hours=2))
    run = services.start_run(dry.pk, at=began + timedelta(hours=3))
    services.allot(run.pk, at=began + timedelta(hours=3))
    _confirm(str(run.pk), operators, owned, began + timedelta(days=1))
    services.draw_sample(run.pk, at=began + timedelta(days=2))
    for award in selectors.list_sample(run.pk):
        services.check_award(award.id, is_right=True, by=checker, at=began + timedelta(days=2))
    services.clear(run.pk, by=checker, at=began + timedelta(days=2))
    batch = services.prepare_batch(run.pk, by=cashier, at=began + timedelta(days=3))
    total = yuan_of(batch.cents)
    services.release_batch(batch.pk, total_yuan=total, by=chief, at=began + timedelta(days=3))
    services.submit_due(began + timedelta(days=3))
    return _pay(settings, began + timedelta(days=3))


def answer_review(rule_id: str, by: Actor, at: datetime) -> int:
    """Answer what the fair-competition review of the made-up policy asks; returns how many."""
    findings = [f for f in services.review_rule(rule_id).findings if not f.answer]
    for finding in findings:
        services.answer_finding(
            rule_id,
            finding.id,
            ground="演示政策，没有真实依据；真的政策要在这里写明依据",
            article="促进个体工商户发展条例（演示填写）",
            by=by,
            at=at,
        )
    return len(findings)


def _confirm(run_id: str, operators: Actor, owned: set[str], at: datetime) -> None:
    waiting = selectors.list_awards(run_id, AwardState.ENTITLED, limit=CONFIRMED + len(owned))
    others = [award for award in waiting if award.trader_code not in owned][:CONFIRMED]
    hers = replace(operators, own=frozenset(award.trader_code for award in others))
    for number, award in enumerate(others):
        services.confirm(
            award.id,
            number=f"62000000000{number:08}",
            bank=BANK,
            consents=selectors.consents_of(award.id, actor=hers),
            by=hers,
            at=at,
        )


def _pay(settings: Any, at: datetime) -> int:
    from getihu.gateways.treasury_fake import FakeTreasury

    folder = Path(settings.TREASURY_FOLDER)
    day = at.date()
    FakeTreasury(folder / "bank").work_through(folder, day)
    return services.reconcile(day, at=at + timedelta(hours=20)).paid


def read_cast(at: datetime) -> dict[str, Actor]:
    """The demo's people by login, as they are allowed to act at a moment."""
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    rows = get_user_model().objects.filter(login__startswith="demo-")
    return {row.login: actor_of(row.pk, at) for row in rows}


def push_policies(*, at: datetime) -> int:
    """The cast's owners allow their facts to be used, and are told what they match; returns how
    many pushes."""
    cast = read_cast(at)
    for person in cast.values():
        for code in sorted(person.own):
            for choice in selectors.list_consent_choices(code, actor=person):
                services.consent_to_match(code, choice.article, by=person, at=at)
    done = services.push(at=at)
    while notifications.deliver(at).sent:
        pass
    return done.told + done.near if done else 0
