"""The hall's screen: what is due in the city today, in counts, and what needs somebody's eye."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from getihu.cases import selectors as cases
from getihu.dataplane import selectors as dataplane
from getihu.insight.contracts import Alert, CountyLoad, Pulse
from getihu.policies import selectors as policies
from getihu.reference import selectors as reference
from getihu.supervision import selectors as supervision
from getihu.support import selectors as support

CITY_TIME: Final = ZoneInfo("Asia/Shanghai")
CITY: Final = "330300"
PAID_DAYS: Final = 30  # 本项目设定，非官方


def take_pulse(at: datetime) -> Pulse:
    """The city's work at a moment. Counts and sums alone: nobody can be told from them."""
    on = at.astimezone(CITY_TIME).date()
    running = {place: numbers for place, *numbers in cases.count_running(on)}
    appeals = {place: numbers for place, *numbers in support.count_running(on)}
    paid, cents = policies.count_paid(on - timedelta(days=PAID_DAYS - 1), on)
    ratios = supervision.ratios_of(on.year)
    names = {county.code: county.name for county in reference.list_counties()} | {CITY: "市本级"}
    counties = tuple(
        CountyLoad(code, name, *running.get(code, (0, 0)), *appeals.get(code, (0, 0)))
        for code, name in names.items()
        if code != CITY or code in running or code in appeals
    )
    return Pulse(
        on=on,
        open_cases=sum(each.open_cases for each in counties),
        late_cases=sum(each.late_cases for each in counties),
        open_appeals=sum(each.open_appeals for each in counties),
        late_appeals=sum(each.late_appeals for each in counties),
        paid_awards=paid,
        paid_cents=cents,
        paid_days=PAID_DAYS,
        visits=ratios.visits,
        drawn=ratios.drawn,
        joint=ratios.joint,
        counties=counties,
        alerts=_alerts(at, counties),
    )


def _alerts(at: datetime, counties: tuple[CountyLoad, ...]) -> tuple[Alert, ...]:
    """What somebody has to look at: feeds that are late, runs that stopped, clocks past their day."""
    found = [
        Alert("feed", f"{feed.department_name}“{feed.dataset_title}”没有按时送达", _since(feed.due))
        for feed in dataplane.list_feeds(at)
        if feed.is_late
    ]
    found += [
        Alert("run", f"“{run.title}”的兑付停下了，等人看", "")
        for run in policies.list_runs()
        if run.state == "halted"
    ]
    found += [
        Alert("case", f"{each.name}有 {each.late_cases} 件办件超过了法定期限", "")
        for each in counties
        if each.late_cases
    ]
    found += [
        Alert("appeal", f"{each.name}有 {each.late_appeals} 件诉求超过了期限", "")
        for each in counties
        if each.late_appeals
    ]
    return tuple(found)


def _since(due: date | None) -> str:
    return f"应在 {due:%Y-%m-%d} 前" if due else "一次也没有送过"
