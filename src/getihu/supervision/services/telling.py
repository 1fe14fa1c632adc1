"""What the public log hears of a plan and a visit: references and digests, never a person."""

from datetime import datetime

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent


def tell(event: str, what: str, by: Actor | str, at: datetime, /, **body: str | int) -> None:
    """One event, in the transaction of what it tells of."""
    actor = by if isinstance(by, str) else f"account:{by.account_id}"
    audit.record(AuditEvent(kind=event, actor=actor, object=what, at=at, body=body))
