"""How far a limit of the law has come, as a colour with its word and its mark."""

from dataclasses import dataclass

SOON_DAYS = 3  # 本项目设定，非官方


@dataclass(frozen=True)
class Limit:
    """``tone`` names the colour (good, waiting, late); ``mark`` and ``word`` say the same without
    it; ``text`` says how many days."""

    tone: str
    mark: str
    word: str
    text: str


def limit_of(days_left: int | None) -> Limit | None:
    """The limit of something due in so many days; negative is late. None: no clock runs."""
    if days_left is None:
        return None
    if days_left < 0:
        return Limit("late", "■", "超期", f"{-days_left} 天")
    if days_left == 0:
        return Limit("waiting", "▲", "今天到期", "")
    if days_left <= SOON_DAYS:
        return Limit("waiting", "▲", "快到期", f"还剩 {days_left} 天")
    return Limit("good", "●", "期限内", f"还剩 {days_left} 天")
