"""The fair-competition review of a rule: findings, and a named person's answer to each."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.policies.fairness.flips import Flip, flip_rule
from getihu.policies.fairness.text import Passage, review_text
from getihu.policies.models import ReviewAnswer
from getihu.policies.services.rights import NotNow, check_right
from getihu.rulebook import selectors as rulebook

MAY_ANSWER = frozenset({Role.SUPERVISOR})


@dataclass(frozen=True)
class ReviewFinding:
    """One thing a review must answer. ``answer`` is empty until somebody has."""

    id: str
    label: str
    text: str
    article: str
    answer: str = ""
    answered_by: str = ""


@dataclass(frozen=True)
class Review:
    """The review of one version of a rule on a day. ``is_answered``: nothing is open."""

    rule_id: str
    rule_version: str
    as_of: date
    passages: tuple[Passage, ...]
    flips: tuple[Flip, ...]
    findings: tuple[ReviewFinding, ...]

    @property
    def is_answered(self) -> bool:
        return all(finding.answer for finding in self.findings)


def review_rule(rule_id: str, *, as_of: date | None = None) -> Review:
    """Text and code of a rule reviewed, with the answers there are for this version.

    Raises: UnknownRule, NothingPublished, FactsNotBuilt.
    """
    as_of = as_of or dataplane.get_published_snapshot().data_until
    return review(rulebook.get_rule(rule_id, as_of), as_of)


def review(rule: Any, as_of: date) -> Review:
    """The same of a rule at hand, be it a draft. Raises: NothingPublished, FactsNotBuilt."""
    rule_id = rule.id
    passages, flips = review_text(_text_of(rule)), flip_rule(rule, as_of=as_of)
    answers = {
        row.finding: row
        for row in ReviewAnswer.objects.filter(
            rule_id=rule_id, rule_version=rule.version
        ).select_related("by")
    }
    found = [
        *(ReviewFinding(f.id, f.label, f.text, f.source) for f in rulebook.review_flags(rule)),
        *_of_passages(passages),
        *_of_flips(flips),
    ]
    return Review(
        rule_id,
        rule.version,
        as_of,
        tuple(passages),
        tuple(flips),
        tuple(_answered(finding, answers.get(finding.id)) for finding in found),
    )


def answer_finding(
    rule_id: str, finding: str, *, ground: str, article: str, by: Actor, at: datetime
) -> None:
    """A named person says by which law a finding may stand. Raises: NotAllowed, NotNow."""
    answer_review(review_rule(rule_id), finding, ground=ground, article=article, by=by, at=at)


def answer_review(
    made: Review, finding: str, *, ground: str, article: str, by: Actor, at: datetime
) -> None:
    """The same for a review at hand, of a draft. Raises: NotAllowed, NotNow."""
    rule_id = made.rule_id
    check_right(by, MAY_ANSWER, "答复公平竞争审查")
    if not (ground.strip() and article.strip()):
        raise NotNow("答复要写明理由和法律依据的条款。")
    if finding not in {each.id for each in made.findings}:
        raise NotNow("这一版规则没有这个问题。处理办法：刷新页面。")
    try:
        with transaction.atomic():
            ReviewAnswer.objects.create(
                rule_id=rule_id,
                rule_version=made.rule_version,
                finding=finding,
                ground=ground[:1000],
                article=article[:300],
                by_id=by.account_id,
                at=at,
            )
            audit.record(
                AuditEvent(
                    "fairness.answered",
                    f"account:{by.account_id}",
                    f"rule:{rule_id}",
                    at,
                    {"version": made.rule_version, "finding": finding, "article": article},
                )
            )
    except IntegrityError:
        raise NotNow("这个问题已经答复过。") from None


def _text_of(rule: Any) -> str:
    """What the rule says in words: title, benefit, conditions, notes."""
    return "\n".join(
        [
            rule.title,
            rule.benefit,
            *(clause.label for clause in rule.clauses),
            rule.date_note,
            rule.amount.label if rule.amount else "",
        ]
    )


def _of_passages(passages: list[Passage]) -> list[ReviewFinding]:
    by_pattern = {passage.pattern: passage for passage in passages}
    return [
        ReviewFinding(f"text.{p.pattern}", p.label, f"第 {p.line} 行：“{p.quote}”", p.article)
        for p in by_pattern.values()
    ]


def _of_flips(flips: list[Flip]) -> list[ReviewFinding]:
    return [
        ReviewFinding(
            f"flip.{flip.id}",
            "换一样就不同",
            f"{flip.label}：{flip.tried:,} 户里 {flip.lose:,} 户因此失去、{flip.win:,} 户因此得到。",
            flip.article,
        )
        for flip in flips
        if flip.is_unequal
    ]


def _answered(finding: ReviewFinding, row: ReviewAnswer | None) -> ReviewFinding:
    if row is None:
        return finding
    return ReviewFinding(
        finding.id,
        finding.label,
        finding.text,
        finding.article,
        f"{row.ground}（{row.article}）",
        row.by.name,
    )
