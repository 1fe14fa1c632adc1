"""Five hundred appeals of the demo city over a year, all invented: a history that was handed over in
bulk, and the last weeks made by the same services as real ones, each step at its own moment."""

import hashlib
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.kernel.errors import GetihuError
from getihu.support import selectors, services
from getihu.support.contracts import Channel

COUNT, RECENT, DAYS = 500, 48, 365
LONG = timedelta(days=30)  # ten working days, whatever holidays lie between
RULE, SUBSIDY = "rule:policies.expansion_subsidy_2025", "subsidy"
WUMA = "330302006"
# Subject → what people say; {0} is a place.
SAID: dict[str, tuple[str, ...]] = {
    "registration": ("想把执照转给儿子，材料说法不一样", "地址变更网上一直通不过，不知道缺什么"),
    "permit": ("食品许可快到期了，延续要不要再现场核查", "小餐饮备案改了菜单要不要重新办"),
    "street_occupation": ("{0}夜市疏导点没有位置，摆摊天天被赶", "{0}店门口摆两张桌子就说占道"),
    "signboard": ("{0}统一换店招，旧招牌拆了没人赔", "{0}门头灯箱多大才不用审批"),
    "waste": ("{0}垃圾清运费涨了一倍，没有收据", "{0}下水道堵了半个月，污水流到店里"),
    "fumes_noise": ("{0}楼上投诉油烟，净化器装了还是罚", "{0}隔壁音响太响，客人坐不住"),
    "roadworks": ("{0}修路围挡三个月，没有客人进来", "{0}路口封了，送货车停不下"),
    "rent": ("{0}房东涨租一倍，合同还没有到期", "{0}二房东收了押金不退"),
    "fire_safety": ("{0}消防检查说疏散通道不够，怎么改", "{0}仓库喷淋要多少钱，有没有标准"),
    "power": ("{0}停电三天没人修，冰柜都坏了", "{0}想增容三相电，等了两个月"),
    "water": ("{0}水压小，楼上用水店里就没水", "{0}水表坏了多收了水费"),
    "telecom": ("{0}宽带断网一个星期，收不了款",),
    "repeated_checks": ("{0}一个月来了四个部门检查，都查同样的",),
    "penalty": ("第一次标价签没写全就罚款，不是说首违不罚吗",),
    "credit": ("年报补报了，经营异常还没有移出", "信用修复材料交了没有消息"),
    "purchase_dispute": ("进货的油是假货，供货商不肯退货退款",),
    "unfair_competition": ("{0}隔壁仿冒我的招牌和商标",),
    "malicious_claims": ("职业打假人又来敲诈，要赔一千",),
    "platform": ("外卖平台抽成涨了，还要求二选一", "网店保证金扣了不说原因"),
    "late_payment": ("给单位食堂送菜，货款拖欠半年不付",),
    "tax": ("定额税核得太高，生意差想调低", "开票系统老是报错，开不了发票"),
    "loan": ("银行续贷不放款，说额度没了",),
    "subsidy": ("创业补贴说批了，三个月没到账", "社保补贴为什么不符合，没人说清楚"),
    "social_insurance": ("断缴两个月社保，补缴要去哪里",),
    "hiring": ("招工招不到人，想要职业介绍",),
}
CITY_PLACES = (
    *((WUMA, "五马街"), (WUMA, "公园路"), ("330302025", "南汇街道锦江路")),
    *(("330382", "乐清市柳市"), ("330383", "龙港市龙跃路"), ("330381", "瑞安市安阳")),
)
ANSWERS = (
    "已经现场看过，当天解决。以后有同样的问题可以直接打承办人电话。",
    "按规定可以办，材料清单已经一次说清，办好以后短信告诉您。",
    "目前的规定不能这样办，原因和依据已经当面说明；另有两个办法供您选。",
    "已经和有关单位一起处理好，请您看看还有没有问题。",
)


@dataclass(frozen=True)
class Kept:
    """One appeal of the history, with where it went."""

    subject: str
    text: str
    place: str
    words: str
    channel: Channel
    received: datetime
    answered: datetime | None
    ended: datetime | None
    outcome: str


def open_support(*, at: datetime) -> int:
    """Make the demo's appeals once; returns how many. Without a cast there are none."""
    cast = _cast(at)
    needed = ("demo-window", "demo-chief", "demo-power", "demo-owner-1", "demo-growth-chief")
    if not all(name in cast for name in needed):
        return 0
    dice = random.Random(13)
    with transaction.atomic():  # as one: a demo that stops halfway begins again
        made = _history(list(_kept(dice, at)), cast, at)
        return made + _recent(cast, dice, at)


def _cast(at: datetime) -> dict[str, Actor]:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    accounts = get_user_model().objects.filter(login__startswith="demo-")
    return {row.login: actor_of(row.pk, at) for row in accounts}


def _kept(dice: random.Random, at: datetime) -> Iterable[Kept]:
    """What came in over the year before the last weeks, answered and over, or left open."""
    channels = [*Channel][:7]
    for number in range(COUNT - RECENT):
        subject = dice.choice([*SAID])
        place, name = dice.choice(CITY_PLACES)
        received = at - timedelta(days=22 + dice.random() * (DAYS - 22))
        answered = received + timedelta(days=dice.choice((1, 1, 2, 2, 3, 4, 9)), hours=2)
        is_open = number % 60 == 7  # a few that nobody solved
        timed_out = dice.random() < 0.25 and answered + LONG < at
        ended = answered + (LONG if timed_out else timedelta(days=dice.choice((1, 2, 5))))
        yield Kept(
            subject=subject,
            text=dice.choice(SAID[subject]).format(name),
            place=place,
            words=f"{name}{dice.randint(1, 200)}号",
            channel=dice.choice([Channel.WEB, *channels]),
            received=received,
            answered=None if is_open else answered,
            ended=None if is_open else min(ended, at),
            outcome="timed_out" if timed_out else "confirmed",
        )


def _history(kept: Sequence[Kept], cast: dict[str, Actor], at: datetime) -> int:
    """The year in bulk, by the moves the database allows: received, assigned, answered, closed."""
    from getihu.support.models import Appeal, AppealClock, AppealEvent

    owners: dict[tuple[str, str], uuid.UUID] = {}
    rows, clocks, events = [], [], []
    for number, each in enumerate(kept):
        row = _row(number, each, cast, owners, at)
        rows.append(row)
        clocks += _clocks(AppealClock, row, each)
        events += _events(AppealEvent, row, each)
    Appeal.objects.bulk_create(rows, batch_size=200)
    _advance(rows, kept)
    AppealClock.objects.bulk_create(clocks, batch_size=300)
    over = [r for r, each in zip(rows, kept, strict=True) if each.ended is not None]
    Appeal.objects.bulk_update(over, ["state", "ended_at", "outcome"], batch_size=200)
    AppealEvent.objects.bulk_create(events, batch_size=300)
    return len(rows)


def _row(
    number: int,
    each: Kept,
    cast: dict[str, Actor],
    owners: dict[tuple[str, str], uuid.UUID],
    at: datetime,
) -> Any:
    from getihu.support.models import Appeal
    from getihu.support.services.steps import owner_in

    found = selectors.route(each.subject, each.place, each.received.date())
    office = found.office if isinstance(found, selectors.Competent) else found.settled_by
    key = (office.agency, office.division)
    if key not in owners:
        owners[key] = owner_in(office, at, "", None)
    return Appeal(
        number=f"S-{number:08}",
        channel=each.channel.value,
        text=each.text,
        place_text=each.words,
        place=each.place,
        code_digest=hashlib.sha256(f"demo appeal {number}".encode()).hexdigest(),
        suggested=[[each.subject, 0.9]],
        subject=each.subject,
        subject_by_id=cast["demo-window"].account_id,
        agency=office.agency,
        division=office.division,
        owner_id=owners[key],
        node=RULE if each.subject == SUBSIDY and number % 2 else "",
        received_at=each.received,
    )


def _advance(rows: Sequence[Any], kept: Sequence[Kept]) -> None:
    """received → assigned → answered; what is over ends afterwards, once its clocks are there."""
    from getihu.support.models import Appeal

    for row in rows:
        row.state = "assigned"
    Appeal.objects.bulk_update(rows, ["state"], batch_size=200)
    said = [(row, each) for row, each in zip(rows, kept, strict=True) if each.answered]
    for number, (row, each) in enumerate(said):
        row.state, row.answered_at = "answered", each.answered
        row.answered_by_id, row.answer = row.owner_id, ANSWERS[number % len(ANSWERS)]
    fields = ["state", "answered_at", "answered_by", "answer"]
    Appeal.objects.bulk_update([row for row, _ in said], fields, batch_size=200)
    for row, each in said:
        row.state, row.ended_at, row.outcome = "closed", each.ended, each.outcome


def _clocks(model: Any, row: Any, each: Kept) -> list[Any]:
    from getihu.cases.selectors import due_after

    def clock(step: str, term: str, start: datetime, stop: datetime | None) -> Any:
        started = start.date()
        due = due_after(term, started)
        return model(
            appeal=row,
            step=step,
            term_id=term,
            started_on=started,
            due_on=due.on,
            is_provisional=due.provisional,
            stopped_on=stop.date() if stop else None,
        )

    found = [clock("answer", "grievance.routine_answer", each.received, each.answered)]
    if each.answered:
        found.append(clock("confirm", "grievance.confirmation", each.answered, each.ended))
    return found


def _events(model: Any, row: Any, each: Kept) -> list[Any]:
    steps = [("received", "received", each.received, "complainant")]
    steps.append(("assigned", "assigned", each.received, "office"))
    if each.answered and each.ended:
        end = "confirmed" if each.outcome == "confirmed" else "timed_out"
        steps.append(("answered", "answered", each.answered, "office"))
        steps.append((end, "closed", each.ended, "complainant" if end == "confirmed" else "law"))
    return [
        model(
            appeal=row,
            event=event,
            after=after,
            at=at,
            side=side,
            owner_id=row.owner_id,
            owner_role="经办人员",
            agency=row.agency,
            division=row.division,
        )
        for event, after, at, side in steps
    ]


def _recent(cast: dict[str, Actor], dice: random.Random, at: datetime) -> int:
    """The last weeks: every state, delay that was taken up, duplicates, a rule that was mended."""
    owner, desk, power = cast["demo-owner-1"], cast["demo-window"], cast["demo-power"]
    shop = sorted(owner.own)[0]
    made = [
        _told(cast, dice, at - timedelta(days=20 - n // 2, hours=n % 2)) for n in range(RECENT - 10)
    ]
    mine = [
        _by_owner(owner, shop, text, at - timedelta(days=day))
        for text, day in (
            ("五马街停电，冰柜里的东西都坏了，三天没人来修", 9.0),
            ("店门口统一换店招，旧招牌拆了没有说法", 6.0),
            ("消防检查说通道太窄，怎么改才算合格", 1.0),
            ("房东要涨租一倍，合同明年才到期", 4.0),
        )
    ]
    _try(services.assign, mine[0], "power", by=desk, at=at - timedelta(days=9))
    _try(services.answer, mine[0], ANSWERS[0], by=power, at=at - timedelta(days=7))
    _try(services.assign, mine[1], "signboard", by=desk, at=at - timedelta(days=6))
    _try(services.assign, mine[3], "rent", by=desk, at=at - timedelta(days=4))
    _more_states(owner, desk, power, shop, at)
    same = [
        _by_owner(
            cast[f"demo-owner-{n}"], "", "五马街一带又停电了，没有人来修", at - timedelta(days=2)
        )
        for n in (2, 3, 4)
        if f"demo-owner-{n}" in cast
    ]
    for each in same[1:2]:
        _try(services.join, each, same[0], by=desk, at=at - timedelta(days=1))
    services.file_appeal(
        "窗口的人态度恶劣，让我跑了三次",
        place_text="五马街1号",
        is_anonymous=True,
        about=("amr", "330302"),
        by=owner,
        at=at - timedelta(days=3),
    )
    services.sweep_appeals(at)
    _mend(cast, at)
    return len(made) + len(mine) + len(same) + 5


def _more_states(owner: Actor, desk: Actor, power: Actor, shop: str, at: datetime) -> None:
    """One told again, one taken back, one passed on."""
    texts = ("店里电压不稳，老是跳闸", "电表读数不对", "停水两天，电工说归供水管")
    again, back, passed = (
        _by_owner(owner, shop, text, at - timedelta(days=day))
        for text, day in zip(texts, (12, 8, 2), strict=True)
    )
    for each, day in ((again, 12), (passed, 2)):
        _try(services.assign, each, "power", by=desk, at=at - timedelta(days=day))
    _try(services.answer, again, ANSWERS[0], by=power, at=at - timedelta(days=10))
    _try(services.reopen, again, reason="换了以后还是跳", by=owner, at=at - timedelta(days=5))
    _try(services.withdraw, back, by=owner, at=at - timedelta(days=7))
    _try(
        services.pass_on, passed, "water", reason="管道归供水", by=power, at=at - timedelta(days=1)
    )


def _told(cast: dict[str, Actor], dice: random.Random, at: datetime) -> uuid.UUID:
    """One of the last weeks, taken down at the counter and decided."""
    desk = cast["demo-window"]
    subject = dice.choice([*SAID])
    words = dice.choice(SAID[subject]).format("五马街")
    filed = services.file_appeal(
        words,
        channel=dice.choice((Channel.PHONE, Channel.WINDOW, Channel.VISIT, Channel.PARTY)),
        place=WUMA,
        place_text=f"五马街{dice.randint(1, 200)}号",
        by=desk,
        at=at,
    )
    made = uuid.UUID(filed.id)
    step = dice.random()
    if step > 0.15:
        _try(services.assign, made, subject, by=desk, at=at + timedelta(hours=1))
    if step > 0.75:
        for officer in ("demo-window", "demo-power", "demo-street", "demo-fire", "demo-offices"):
            if officer in cast and _try(
                services.answer, made, dice.choice(ANSWERS), by=cast[officer],
                at=at + timedelta(days=1),
            ):  # fmt: skip
                break
    elif step > 0.65:
        _try(
            services.dispute,
            made,
            reason="不在本机关的事项目录里",
            by=desk,
            at=at + timedelta(days=1),
        )
    return made


def _by_owner(owner: Actor, shop: str, text: str, at: datetime) -> uuid.UUID:
    filed = services.file_appeal(
        text, place=WUMA, place_text="五马街道五马街", trader_code=shop, by=owner, at=at
    )
    return uuid.UUID(filed.id)


def _mend(cast: dict[str, Actor], at: datetime) -> None:
    """From problem to rule: the cluster's ticket, and the rule's case that carries it on."""
    from getihu.rulebook.selectors import list_case_names

    lead = cast["demo-growth-chief"]
    number = _try(services.open_ticket, RULE, SUBSIDY, by=lead, at=at - timedelta(days=2))
    case = next((c for c in list_case_names(RULE.partition(":")[2]) if str(number) in c), "")
    ticket = next((t for t in selectors.list_tickets(lead) if t.number == number), None)
    if ticket is not None and case:
        change = "规则页写明2025年版个体工商户不享受、原因是什么，并把这种情况写成例子。"
        services.mend(
            uuid.UUID(ticket.id), case_name=case, change=change, by=lead, at=at - timedelta(days=1)
        )


def _try(do: Any, *args: Any, **more: Any) -> Any:
    """A step that the day's dice may not allow is left out."""
    try:
        with transaction.atomic():
            return do(*args, **more) or True
    except GetihuError:
        return None
