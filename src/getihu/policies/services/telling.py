"""What traders are told of their awards: in the same transaction, once, while it is true."""

from collections.abc import Sequence
from datetime import UTC, datetime

from getihu.accounts.selectors import list_operators
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.policies.contracts import yuan_of
from getihu.policies.models import Award, Push
from getihu.policies.programmes import Programme

CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)


def tell_entitled(programme: Programme, awards: Sequence[Award], *, at: datetime) -> int:
    """Tell operators who have an account that money waits for their word; returns how many."""
    _note_pushes(awards, at)
    kinds: dict[str, list[Award]] = {}
    for award in awards:
        kind = "top_up" if award.adjustment_id else "granted" if award.case_id else "entitled"
        kinds.setdefault(kind, []).append(award)
    return sum(_tell(programme, each, f"award.{kind}", at) for kind, each in kinds.items())


def _note_pushes(awards: Sequence[Award], at: datetime) -> None:
    """Being asked to confirm is how one is told of a policy paid without an application."""
    reached = list_operators([award.trader_code for award in awards])
    Push.objects.bulk_create(
        Push(
            rule_id=award.run.rule_id,
            rule_version=award.run.rule_version,
            trader_code=award.trader_code,
            kind=Push.Kind.AWARD,
            snapshot_id=award.run.snapshot_id,
            pushed_at=at,
        )
        for award in awards
        if award.trader_code in reached
    )


def tell_moved(programme: Programme, award: Award, *, at: datetime) -> int:
    """Tell the operator of what the machine or an officer did to her award."""
    return _tell(programme, [award], f"award.{award.state}", at)


def _tell(programme: Programme, awards: Sequence[Award], template: str, at: datetime) -> int:
    operators = list_operators([award.trader_code for award in awards])
    told = 0
    for award in awards:
        for account in operators.get(award.trader_code, ()):
            told += notifications.queue(
                NoticeRequest(
                    obligation=f"award:{award.pk}",
                    stage=f"{award.state} {at.astimezone(UTC):%Y%m%dT%H%M%S%f}",
                    recipient=account,
                    template_id=template,
                    values={
                        "policy": programme.title,
                        "yuan": f"{yuan_of(award.cents):,.2f}",
                        "until": award.confirm_until.isoformat(),
                    },
                    channels=CHANNELS,
                    guard="award_is",
                    guard_argument=f"{award.pk} {award.state}",
                ),
                at=at,
            )
    return told
