"""企业码 of the demo city: owners with licences and permits in the wallet, scans by everybody, what
banks asked: one waits, one was agreed to, one is over, one taken back. By the same services as real
ones, each at its own moment.
"""

from datetime import datetime, timedelta

from getihu.accounts.contracts import ANONYMOUS, Actor
from getihu.journeys import services as journeys
from getihu.kernel.errors import GetihuError
from getihu.passport import selectors, services
from getihu.passport.contracts import city_day


def open_wallets(cast: dict[str, Actor], *, at: datetime) -> int:
    """Fill the wallets of the cast's owners once; returns how many traders took their licence."""
    taken = []
    for login, owner in sorted(cast.items()):
        if not login.startswith("demo-owner-"):
            continue
        for code in sorted(owner.own):
            held = selectors.list_certificates(code, at=at)
            if any(each.kind == selectors.LICENCE for each in held):  # a permit may be there before
                return 0
            try:
                journeys.fetch_wallet(code, at=at - timedelta(days=40))
            except GetihuError:  # not trading by the register: no licence to give
                continue
            taken.append((owner, code))
    if taken:
        _scan(cast, taken, at)
        _ask(cast, *taken[0], at)
    return len(taken)


def _scan(cast: dict[str, Actor], taken: list[tuple[Actor, str]], at: datetime) -> None:
    looks = (
        (30, "consumer_scan", "", False),
        (21, "inspection", "demo-inspector", False),
        (12, "platform_entry", "", False),
        (6, "licence_window", "demo-window", False),
        (3, "wall", "", True),
        (1, "", "demo-bank", False),
    )
    for owner, code in taken:
        for days, scene, login, again in looks:
            then = at - timedelta(days=days)
            by = cast.get(login, ANONYMOUS)
            made = services.make_code(code, by=owner, at=then, scene=scene)
            for _ in range(2 if again else 1):
                services.scan(made, by=by, at=then + timedelta(seconds=20))


def _ask(cast: dict[str, Actor], owner: Actor, code: str, at: datetime) -> None:
    clerk = cast.get("demo-bank")
    if clerk is None:
        return
    asked = (  # scene, purpose, days ago, days it is seen, what became of it
        ("bank_account", "开立结算账户，核对经营范围", 35, 20, "agree"),  # over by now
        ("bank_loan", "评估 10 万元流动资金贷款", 10, 60, "agree"),
        ("insurance", "投保财产险", 5, 90, "take_back"),
        ("payment_code", "收款码商户准入核验", 0, 30, ""),
    )
    for scene, purpose, ago, days, then in asked:
        when = at - timedelta(days=ago)
        request = services.ask(
            scene,
            purpose,
            selectors.scenes()[scene].shows,
            until=city_day(when) + timedelta(days=days),
            by=clerk,
            at=when,
            trader_code=code,
        )
        if then:
            services.answer(request, code, by=owner, at=when + timedelta(minutes=10))
        if then == "take_back":
            services.take_back(request, by=owner, at=when + timedelta(days=2))
    services.wipe_expired(city_day(at), at=at)
