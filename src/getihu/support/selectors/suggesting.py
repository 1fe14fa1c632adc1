"""What an appeal may be about, and which others may be the same problem. People decide both."""

from datetime import timedelta
from functools import lru_cache

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.support.appeals.learner import Learner
from getihu.support.appeals.nearness import NEAR, nearness
from getihu.support.appeals.subjects import list_subjects
from getihu.support.contracts import OPEN, STATE_LABELS, Likeness, State
from getihu.support.models import Appeal
from getihu.support.selectors.reads import visible_appeals

LEARNED = 2000  # the newest decided appeals
RELEARN_AFTER = 100  # so many more decided ones
SAME_DAYS = 30


def suggest(text: str) -> list[tuple[str, float]]:
    """The three likeliest subjects with their shares, best first: from the taxonomy's words and
    what people decided before."""
    with over_the_wall():  # only words and how often they were what leave
        decided = Appeal.objects.exclude(subject_by=None).count()
    return _learner(decided // RELEARN_AFTER).rank(text)


@lru_cache(maxsize=2)
def _learner(hundreds: int) -> Learner:
    samples = [(word, s.id) for s in list_subjects() for word in (*s.words, s.title)]
    if hundreds:
        with over_the_wall():
            rows = Appeal.objects.exclude(subject_by=None).order_by("-received_at")
            samples += rows.values_list("text", "subject")[:LEARNED]
    return Learner(samples)


def list_alike(row_id: str, *, actor: Actor, limit: int = 5) -> list[Likeness]:
    """Open appeals of the same place and subject (decided, else suggested), told within thirty days
    of each other, in words that are near: the nearest first. Only what the actor may see."""
    row = visible_appeals(actor).filter(pk=row_id).first()
    if row is None or not row.place or row.joined_to_id:
        return []
    span = timedelta(days=SAME_DAYS)
    others = visible_appeals(actor).filter(
        place=row.place,
        joined_to=None,
        barred=row.barred,
        state__in=[state.value for state in OPEN],
        received_at__range=(row.received_at - span, row.received_at + span),
    )
    found = [
        Likeness(
            str(each.pk),
            each.number,
            each.text,
            each.received_at,
            STATE_LABELS[State(each.state)],
            round(share, 2),
        )
        for each in others.exclude(pk=row.pk)[:200]
        if _subject(each) == _subject(row) and (share := nearness(_said(each), _said(row))) >= NEAR
    ]
    return sorted(found, key=lambda like: -like.share)[:limit]


def _subject(row: Appeal) -> str:
    return row.subject or (row.suggested[0][0] if row.suggested else "")


def _said(row: Appeal) -> str:
    return f"{row.text} {row.place_text}"
