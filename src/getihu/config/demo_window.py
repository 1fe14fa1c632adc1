"""The window of the demo city: a day's appointments, a counter in work, ratings of two months. All
invented; made by the same services as real ones, each step at its own moment."""

from datetime import date, datetime, timedelta
from uuid import UUID

from getihu.accounts.contracts import Actor
from getihu.entry import selectors, services
from getihu.evaluations import services as ratings
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.contracts import Grade
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

OFFICE = "amr-330302"
CATERING, CHANGE, SUSPENSION = "entry.catering_opening", "entry.change", "entry.suspension"
DAYS_BACK = 45  # the people have been there for longer
# Grade, words; one visit each, a few a day over the weeks past.
RATED = (
    (5, "一次就说清楚了"), (5, ""), (4, ""), (5, "不用排队"), (4, ""), (3, ""), (5, ""), (4, "态度好"),
    (5, ""), (2, "说的和网上的不一样，跑了两次"), (5, ""), (4, ""), (5, ""), (4, ""), (5, ""), (3, ""),
)  # fmt: skip
ASKED = (
    ("想在门口摆两张桌子，要不要办手续", ()),
    ("父亲的面馆想转到我名下", (CHANGE,)),
    ("装修停业三个月，执照怎么办", (SUSPENSION,)),
)


def open_window(settings: object, *, at: datetime) -> int:
    """Make the demo's window once; returns how many visits were made. Without a cast none."""
    cast = _cast(at)
    needed = ("demo-window", "demo-case", "demo-owner-1", "demo-fire")
    if not all(name in cast for name in needed):
        return 0
    made = _past(cast, at)
    if made:
        ratings.sweep_ratings(at)
        _day(cast, at)
    return made


def _cast(at: datetime) -> dict[str, Actor]:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    accounts = get_user_model().objects.filter(login__startswith="demo-")
    return {row.login: actor_of(row.pk, at) for row in accounts}


def _past(cast: dict[str, Actor], at: datetime) -> int:
    """Visits of the weeks past, answered and rated."""
    days = _workdays_before(at, DAYS_BACK)
    made = 0
    for number, (grade, comment) in enumerate(RATED):
        on = days[number * len(days) // len(RATED)]
        when = at.replace(year=on.year, month=on.month, day=on.day)
        officer = cast["demo-window" if number % 3 else "demo-case"]
        question, matters = ASKED[number % len(ASKED)]
        services.walk_in(OFFICE, matters=matters, question=question, by=officer, at=when)
        visit = services.call_next(OFFICE, by=officer, at=when + timedelta(minutes=3))
        done = when + timedelta(minutes=15)
        services.answer(visit, "当场答复，材料清单给了", by=officer, at=done)
        ratings.rate_visit(visit, grade=Grade(grade), code=fresh_code(), comment=comment, at=done)
        made += 1
    return made


def _day(cast: dict[str, Actor], at: datetime) -> None:
    """Today: somebody at the counter, somebody waiting, a question handed over, a day booked."""
    window, colleague, owner = cast["demo-window"], cast["demo-case"], cast["demo-owner-1"]
    services.walk_in(OFFICE, question="消防检查要多久", matters=[CATERING], by=window, at=at)
    pending = services.call_next(OFFICE, by=window, at=at)
    services.keep(pending, by=window, at=at)
    to = cast["demo-fire"].account_id
    services.offer_visit(pending, UUID(to), reason="现场检查的时间归消防答", by=window, at=at)
    trader = sorted(owner.own)[0]
    services.walk_in(OFFICE, matters=[CATERING], question="", by=window, at=at)
    serving = services.call_next(OFFICE, by=window, at=at)
    services.identify(serving, trader, "document", by=window, at=at)
    services.walk_in(OFFICE, question="换经营者要带什么", by=window, at=at)
    services.walk_in(OFFICE, matters=[SUSPENSION], by=colleague, at=at)
    _book_ahead(cast, trader, at)


def _book_ahead(cast: dict[str, Actor], trader: str, at: datetime) -> None:
    """Appointments of the days to come, booked at the counter; one of them the owner's own."""
    office = selectors.get_office(OFFICE)
    days = [day.on for day in selectors.list_days(office, at) if day.free]
    for number, on in enumerate(days[:3]):
        for slot in selectors.list_slots(office, on, at)[number::3]:
            matters = [(CATERING, CHANGE, SUSPENSION)[slot.starts_at.minute // 30]]
            services.book(OFFICE, slot.starts_at, matters=matters, by=cast["demo-window"], at=at)
    for on in days[1:4]:
        for slot in selectors.list_slots(office, on, at):
            try:
                services.book(
                    OFFICE, slot.starts_at, trader_code=trader, matters=[CHANGE],
                    by=cast["demo-owner-1"], at=at,
                )  # fmt: skip
            except GetihuError:
                continue
            return


def _workdays_before(at: datetime, count: int) -> list[date]:
    calendar, today = reference.work_calendar(), at.date()
    every = [today - timedelta(days=back) for back in range(count, 0, -1)]
    return [on for on in every if calendar.is_workday(on)]
