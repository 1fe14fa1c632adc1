"""How near two texts are: the cosine of their pairs and triples of characters."""

import math
from typing import Final

from getihu.support.appeals.learner import grams

NEAR: Final = 0.25  # 本项目设定，非官方: from here on two texts are shown side by side


def nearness(one: str, two: str) -> float:
    """0 (nothing in common) to 1 (the same).

    >>> nearness("五马街停电三天", "五马街停电三天"), nearness("停电", "发票")
    (1.0, 0.0)
    """
    a, b = grams(one), grams(two)
    shared = sum(count * b[gram] for gram, count in a.items())
    length = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return round(shared / length, 6) if length else 0.0
