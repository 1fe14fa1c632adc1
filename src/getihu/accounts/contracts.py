"""What leaves the accounts: who acts, in which roles, over which region, for which traders."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CITY = "330300"


class Duty(StrEnum):
    """What an account is for. Three administrations are three people (三权分立); an account has
    one duty for life."""

    PERSON = "person"  # 个人：经营者或受托人
    BUSINESS = "business"  # 业务人员
    SYSTEM = "system"  # 系统管理
    SECURITY = "security"  # 安全管理
    AUDIT = "audit"  # 审计管理


class Role(StrEnum):
    WINDOW_OFFICER = "window_officer"
    CASE_OFFICER = "case_officer"
    SUPERVISOR = "supervisor"
    INSPECTOR = "inspector"
    POLICY_WRITER = "policy_writer"
    DATA_OFFICER = "data_officer"
    FINANCE_OFFICER = "finance_officer"
    BANK_CLERK = "bank_clerk"
    COCKPIT_VIEWER = "cockpit_viewer"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"


ROLE_LABELS = {
    Role.WINDOW_OFFICER: "窗口人员",
    Role.CASE_OFFICER: "经办人员",
    Role.SUPERVISOR: "负责人",
    Role.INSPECTOR: "执法人员",
    Role.POLICY_WRITER: "政策编写人员",
    Role.DATA_OFFICER: "数据管理人员",
    Role.FINANCE_OFFICER: "财政拨付人员",
    Role.BANK_CLERK: "银行经办人员",
    Role.COCKPIT_VIEWER: "市政府办公室",
    Role.SYSTEM_ADMINISTRATOR: "系统管理员",
    Role.SECURITY_ADMINISTRATOR: "安全管理员",
    Role.AUDIT_ADMINISTRATOR: "审计管理员",
}
ROLE_DUTY = {
    Role.SYSTEM_ADMINISTRATOR: Duty.SYSTEM,
    Role.SECURITY_ADMINISTRATOR: Duty.SECURITY,
    Role.AUDIT_ADMINISTRATOR: Duty.AUDIT,
}


def duty_of(role: Role) -> Duty:
    """The duty an account must have to hold a role."""
    return ROLE_DUTY.get(role, Duty.BUSINESS)


class Purpose(StrEnum):
    """What an owner lets another person do."""

    VIEW = "view"  # 查看
    APPLY = "apply"  # 代办


@dataclass(frozen=True)
class Scope:
    """The region a grant reaches: the city, a county (six digits) or a town (nine digits).

    A division's code begins with the code of what it lies in, so a scope is a set of prefixes and
    goes into the query as such.
    """

    divisions: frozenset[str]

    @property
    def prefixes(self) -> tuple[str, ...]:
        return tuple(
            sorted(d[:4] if d.endswith("00") and len(d) == 6 else d for d in self.divisions)
        )

    def covers(self, division: str | None) -> bool:
        """Whether a place lies inside. An unknown place is inside no scope."""
        return bool(division) and division.startswith(self.prefixes)  # type: ignore[union-attr]

    def contains(self, other: "Scope") -> bool:
        """Whether everything inside ``other`` is inside this one."""
        return all(prefix.startswith(self.prefixes) for prefix in other.prefixes)


NOWHERE = Scope(frozenset())


@dataclass(frozen=True)
class Grant:
    """One role of an officer, for one agency, in one region."""

    role: Role
    agency: str
    scope: Scope


@dataclass(frozen=True)
class Actor:
    """Whoever acts, read afresh for every request so that a revoked right is gone at once.

    ``own`` are the traders whose operator this person is; ``authorised`` those somebody let this
    person view or act for, now. An anonymous actor has neither roles nor traders.
    """

    account_id: str
    name: str
    duty: Duty | None
    grants: tuple[Grant, ...] = ()
    own: frozenset[str] = frozenset()
    authorised: frozenset[tuple[str, Purpose]] = frozenset()

    @property
    def is_anonymous(self) -> bool:
        return not self.account_id

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def scope(self, *roles: Role) -> Scope:
        """The regions this actor reaches in any of ``roles`` (none named: in any role)."""
        reached = [g.scope.divisions for g in self.grants if not roles or g.role in roles]
        return Scope(frozenset().union(*reached)) if reached else NOWHERE

    def agencies(self, *roles: Role) -> frozenset[str]:
        return frozenset(g.agency for g in self.grants if not roles or g.role in roles)

    def may_view(self, trader_code: str) -> bool:
        """Whether the trader is hers, or its owner lets her view or act for it."""
        return trader_code in self.own or any(code == trader_code for code, _ in self.authorised)

    def may_apply_for(self, trader_code: str) -> bool:
        return trader_code in self.own or (trader_code, Purpose.APPLY) in self.authorised


ANONYMOUS = Actor("", "", None)


@dataclass(frozen=True)
class AuthorisationSummary:
    """An owner's leave for another person: for what, until when; None while it is not ended."""

    id: int
    trader_code: str
    to_name: str
    purpose: Purpose
    since: datetime
    until: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class OfficerSummary:
    """An officer's or administrator's account as a security administrator sees it; ``roles`` in
    words, each with its agency and division."""

    account_id: str
    login: str
    name: str
    roles: tuple[str, ...]
    has_second_factor: bool


@dataclass(frozen=True)
class CastMember:
    """Somebody of the demo city to sign in as, and what is told of them."""

    login: str
    name: str
    told: str
