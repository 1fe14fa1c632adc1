"""Writes the announced working calendar, from the dev library that gathers the notices.

Run by hand each November, when the State Council's notice for the next year has reached the
library: ``.venv/bin/python -m tools.make_special_days``.
"""

import csv
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
from chinese_calendar.constants import holidays, in_lieu_days, workdays

OUT = Path(__file__).resolve().parent.parent / "src/getihu/reference/data/special_days.csv"
FIRST = date(2004, 1, 1)
CHINESE = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日",
}


def main() -> None:
    years = sorted({day.year for day in holidays})
    on, rows = FIRST, []
    while on <= date(years[-1], 12, 31):
        name = CHINESE.get(holidays.get(on) or workdays.get(on) or in_lieu_days.get(on), "")
        if on in holidays and not chinese_calendar.is_workday(on):
            rows.append((on, "holiday", name))
        elif on.weekday() >= 5 and chinese_calendar.is_workday(on):
            rows.append((on, "makeup", name))
        on += timedelta(days=1)
    with OUT.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["date", "kind", "holiday"])
        writer.writerows(rows)
    print(f"{OUT}：{len(rows)} 天，{FIRST.year}–{years[-1]} 年")


if __name__ == "__main__":
    main()
