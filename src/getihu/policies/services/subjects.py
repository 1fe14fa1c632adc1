"""One subject under several codes: a trader who became a firm by a new registration is paid once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.codes import normalise_credit_code
from getihu.policies.models import Award, Budget, SubjectAlias
from getihu.policies.services.discrepancies import note_discrepancy
from getihu.policies.services.rights import NotNow, check_right

MAY_JOIN = frozenset({Role.SUPERVISOR})
CHUNK = 10_000


def join_codes(later: str, earlier: str, *, evidence: str, by: Actor, at: datetime) -> SubjectAlias:
    """A named person notes that two codes are one subject: ``later`` was registered for the shop
    that had ``earlier``. From now on both have one award per family and period between them.

    What both were paid before becomes a discrepancy for a person; nothing is taken back by it.
    Said again it is no change. A direct change (个转企 直接变更) keeps the code and needs none.
    Raises: NotAllowed, NotNow (no evidence, one code, joined to another already), InvalidCreditCode.
    """
    check_right(by, MAY_JOIN, "把两个代码记为同一主体")
    later, earlier = normalise_credit_code(later), normalise_credit_code(earlier)
    if not evidence.strip():
        raise NotNow("要写明依据，例如登记机关哪一天的注销和设立记录。")
    return _join(later, earlier, evidence.strip()[:300], by.account_id, at)


@over_the_wall()
def follow_succession(later: str, earlier: str, *, evidence: str, at: datetime) -> bool:
    """The register says that a company goes on for a trader who ended (个转企 注销＋设立): both are
    one subject, as if a person had noted it. What contradicts an earlier note becomes a discrepancy
    for a person; then nothing is joined and False is returned."""
    try:
        _join(later, earlier, evidence, None, at)
    except NotNow as error:
        about = f"trader:{later}/{earlier}"
        note_discrepancy("succession", about, f"登记写明由该企业延续。{error}", at)
        return False
    return True


@transaction.atomic
def _join(
    later: str, earlier: str, evidence: str, account_id: str | None, at: datetime
) -> SubjectAlias:
    if later == earlier:
        raise NotNow("这是同一个代码，不用记。直接变更的个转企沿用原代码。")
    list(SubjectAlias.objects.select_for_update().filter(trader_code__in=[later, earlier]))
    subject = subjects_of([earlier])[earlier]
    known = SubjectAlias.objects.filter(trader_code=later).first()
    if subject == later:
        raise NotNow("这两个代码已经记过，前后相反。处理办法：核对哪个代码在先。")
    if known is not None:
        if known.subject != subject:
            raise NotNow("后一个代码已经记为另一个主体。处理办法：核对登记记录。")
        return known
    # Who awards holds a budget: an award just being made is waited for, and seen.
    list(Budget.objects.select_for_update().order_by("pk"))
    both = _paid_under_both(subject, later)
    SubjectAlias.objects.filter(subject=later).update(subject=subject)
    row = SubjectAlias.objects.create(
        trader_code=later, subject=subject, evidence=evidence, by_id=account_id, at=at
    )
    body = {"subject": subject, "evidence": row.evidence}
    actor = f"account:{account_id}" if account_id else "job:register"
    audit.record(AuditEvent("subject.joined", actor, f"trader:{later}", at, body))
    for family, period in both:
        text = f"同一主体的两个代码在{period}都认定过：{family}"
        note_discrepancy("two_codes", f"trader:{later}/{family}/{period}"[:80], text, at)
    return row


def subjects_of(codes: Sequence[str]) -> dict[str, str]:
    """Code → the first code of the same subject, its own when it has no other."""
    found = {code: code for code in codes}
    if SubjectAlias.objects.exists():
        for start in range(0, len(codes), CHUNK):
            rows = SubjectAlias.objects.filter(trader_code__in=codes[start : start + CHUNK])
            found.update(rows.values_list("trader_code", "subject"))
    return found


def who_have(family: str, period: str, subjects: Sequence[str] | None = None) -> set[str]:
    """The subjects that have an award of a family in a period, under whichever code of theirs.
    ``subjects``: asked about; None: all."""
    awards = Award.objects.filter(family=family, period=period, adjustment=None)
    if subjects is not None:
        later = SubjectAlias.objects.filter(subject__in=subjects).values_list("trader_code")
        codes = [*subjects, *(code for (code,) in later)]
        awards = awards.filter(subject__in=codes)
    given = list(awards.values_list("subject", flat=True))
    return set(subjects_of(given).values())


def _paid_under_both(earlier: str, later: str) -> list[tuple[str, str]]:
    pairs = [
        set(Award.objects.filter(subject=code, adjustment=None).values_list("family", "period"))
        for code in (earlier, later)
    ]
    return sorted(pairs[0] & pairs[1])
