"""Who may do a step, and when: asked again in every service, whatever the page showed."""

from getihu.accounts.contracts import Actor, Role
from getihu.kernel.errors import GetihuError


class NotAllowed(GetihuError):
    """This person may not do this step."""


class NotNow(GetihuError):
    """It is not the time for this step."""


def check_right(by: Actor | None, roles: frozenset[Role], what: str) -> Actor:
    """The actor, who holds one of the roles. Raises NotAllowed."""
    if by is None or not by.roles & roles:
        raise NotAllowed(f"您的职务不能{what}。处理办法：请有权限的人办理。")
    return by
