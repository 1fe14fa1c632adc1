"""What may honestly be said of a certificate, by what is known of its status and since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from getihu.passport.credentials.status import FRESH, HOLDS, STATUS_LABELS, Status

SKEW = timedelta(minutes=5)


class Answer(StrEnum):
    VALID = "valid"
    WAS_VALID = "was_valid"
    UNKNOWN = "unknown"
    NOT_VALID = "not_valid"


ANSWER_LABELS = {
    Answer.VALID: "现在有效",
    Answer.WAS_VALID: "当时有效，现在的状态不知道",
    Answer.UNKNOWN: "签发是真的，现在的状态不知道",
    Answer.NOT_VALID: "无效",
}


@dataclass(frozen=True)
class Judgement:
    """``as_of``: the moment the status was told; None where it never was. ``why`` in Chinese."""

    answer: Answer
    as_of: datetime | None
    why: str

    @property
    def label(self) -> str:
        return ANSWER_LABELS[self.answer]


def judge(status: Status | None, told_at: datetime | None, at: datetime) -> Judgement:
    """What to say of a certificate whose signature holds. Only a status told within the last
    minute makes it valid now; an older one says what was, up to a day; a clock that runs ahead by
    more than five minutes is no knowledge."""
    if status is None or told_at is None:
        return Judgement(Answer.UNKNOWN, None, "没有查到状态；联网以后再查。")
    if told_at > at + SKEW:
        return Judgement(Answer.UNKNOWN, told_at, "状态的时间在现在以后，核对时钟。")
    if status is not Status.VALID:
        return Judgement(Answer.NOT_VALID, told_at, STATUS_LABELS[status])
    age = at - told_at
    if age <= FRESH:
        return Judgement(Answer.VALID, told_at, "登记机关刚刚答复有效。")
    if age <= HOLDS:
        return Judgement(Answer.WAS_VALID, told_at, "状态不是现在的；联网以后再查。")
    return Judgement(Answer.UNKNOWN, told_at, "状态过了24小时，不能再用。")
