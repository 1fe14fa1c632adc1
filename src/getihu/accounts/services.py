"""Opening and closing accounts, giving and taking rights. Rights end; nothing is deleted."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from axes.models import AccessAttempt
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts.contracts import (
    ROLE_LABELS,
    Actor,
    Duty,
    Purpose,
    Role,
    Scope,
    duty_of,
)
from getihu.accounts.models import (
    Account,
    Assignment,
    Authorisation,
    Claim,
    ClaimTries,
    Ownership,
)
from getihu.accounts.selectors import DEMO_ISSUER, holds_at, is_called, is_demo
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError

LONGEST_AUTHORISATION = timedelta(days=365)  # 本项目设定，非官方
CLAIM_CODE_LASTS = timedelta(days=90)  # 本项目设定，非官方
CLAIM_TRIES = 5  # 本项目设定，非官方: of a person on a day, and of a code over its life
CITY_TIME = ZoneInfo("Asia/Shanghai")
_CODE_LETTERS = "ABCDEFGHJKMNPQRTUWXY346789"


class NotAllowed(GetihuError):
    """The actor may not do this; says which right is needed."""


class AccountConflict(GetihuError):
    """What was asked contradicts what is already there."""


class ClaimRefused(GetihuError):
    """This account cannot claim, or not today; says what to do."""


@transaction.atomic
def open_account(
    *, login: str, name: str, duty: Duty, at: datetime, password: str | None = None
) -> uuid.UUID:
    """Open an account and return its id. Without a password it signs in by identity provider.

    Raises: AccountConflict when the login name is taken.
    """
    if Account.objects.filter(login=login).exists():
        raise AccountConflict(f"登录名“{login}”已经有人用了。处理办法：换一个登录名。")
    account = Account.objects.create(
        login=login, name=name, duty=duty.value, created_at=at, password=make_password(password)
    )
    return account.pk


@transaction.atomic
def link_identity(
    account_id: uuid.UUID, *, issuer: str, subject: str, by: Actor | None, at: datetime
) -> None:
    """Let a person of an identity provider sign in as an account; one identity, one account.

    ``by`` is a system administrator; None is the set-up of an installation. Raises: NotAllowed;
    AccountConflict when either is linked already.
    """
    if by is not None:
        _need(by, Role.SYSTEM_ADMINISTRATOR)
    taken = Account.objects.filter(identity_issuer=issuer, identity_subject=subject).exists()
    account = Account.objects.select_for_update().get(pk=account_id)
    if taken or account.identity_subject:
        raise AccountConflict(
            "这个身份或者这个账号已经关联过。处理办法：先核对是谁，再解除原来的关联。"
        )
    account.identity_issuer, account.identity_subject = issuer, subject
    account.save(update_fields=["identity_issuer", "identity_subject"])
    _log("account.identity_linked", account_id, by, at, {"issuer": issuer})


@transaction.atomic
def open_by_identity(issuer: str, subject: str, name: str, *, at: datetime) -> uuid.UUID:
    """Open an account for a person an identity provider vouches for; returns its id. What she owns
    or may act for is recorded apart, by its own evidence.

    Raises: AccountConflict when this identity has or had an account.
    """
    if Account.objects.filter(identity_issuer=issuer, identity_subject=subject).exists():
        raise AccountConflict("这个身份的账号已经开过，现在不能用。处理办法：到窗口核验身份。")
    digest = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()
    account = Account.objects.create(
        login=f"{issuer}-{digest[:24]}",
        name=name[:60],
        duty=Duty.PERSON.value,
        created_at=at,
        password=make_password(None),
        identity_issuer=issuer,
        identity_subject=subject,
    )
    _log("account.opened_by_identity", account.pk, None, at, {"issuer": issuer})
    return account.pk


@transaction.atomic
def reset_second_factor(account_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Take a lost second factor from an officer's account: at her next sign-in she sets a new one
    up. What she is signed in with loses its rights at the next click.

    ``by`` is a security administrator, over a region that holds all of the officer's; nobody
    resets her own. Raises: NotAllowed; AccountConflict (no such open account, or it has no second
    factor).
    """
    _need(by, Role.SECURITY_ADMINISTRATOR)
    if str(account_id) == by.account_id:
        raise NotAllowed("不能重设自己的动态口令。处理办法：请另一名安全管理员办理。")
    if not reason.strip():
        raise AccountConflict("要写明理由和怎样核对的本人。处理办法：补上再办。")
    account = Account.objects.select_for_update().filter(pk=account_id, closed_at=None).first()
    if account is None:
        raise AccountConflict("没有这个账号，或者已经关闭。处理办法：核对登录名。")
    held = Assignment.objects.filter(holds_at(at), account=account).values_list(
        "division", flat=True
    )
    if not by.scope(Role.SECURITY_ADMINISTRATOR).contains(Scope(frozenset(held))):
        raise NotAllowed("这名人员的辖区超出您管理的地区。处理办法：请上级安全管理员办理。")
    gone, _ = TOTPDevice.objects.filter(user=account).delete()
    if not gone:
        raise AccountConflict("这个账号没有设过动态口令，下次登录时会教她设。")
    _log("account.second_factor_reset", account_id, by, at, {"reason": reason.strip()[:200]})


@transaction.atomic
def close_account(account_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Close an account; every right of it ends at the same moment."""
    _need(by, Role.SECURITY_ADMINISTRATOR)
    Account.objects.filter(pk=account_id, closed_at=None).update(closed_at=at)
    Assignment.objects.filter(account=account_id, until=None).update(until=at)
    Authorisation.objects.filter(to=account_id, ended_at=None).update(ended_at=at)
    _log("account.closed", account_id, by, at, {})


@transaction.atomic
def assign(
    account_id: uuid.UUID,
    role: Role,
    *,
    agency: str,
    division: str,
    reason: str,
    at: datetime,
    by: Actor | None,
) -> int:
    """Give an officer a role for an agency in a region; returns the assignment's number.

    ``by`` None is the set-up of an installation, before there is a security administrator.
    Raises: NotAllowed; AccountConflict when the account's duty does not allow the role, when it is
    held already, or when somebody grants themselves.
    """
    if by is not None:
        _need(by, Role.SECURITY_ADMINISTRATOR)
        if not by.scope(Role.SECURITY_ADMINISTRATOR).contains(Scope(frozenset({division}))):
            raise NotAllowed("授权不能超出自己管理的地区。")
    account = Account.objects.get(pk=account_id)
    if account.duty != duty_of(role):
        raise AccountConflict(
            f"这个账号不能担任{ROLE_LABELS[role]}：系统、安全、审计三类管理员和业务人员各是各的账号。"
        )
    try:
        with transaction.atomic():
            row = Assignment.objects.create(
                account=account,
                role=role.value,
                duty=account.duty,
                agency=agency,
                division=division,
                since=at,
                granted_by_id=by.account_id if by else None,
                reason=reason,
            )
    except IntegrityError as error:
        raise AccountConflict(
            "不能给自己授权，也不能重复授权。处理办法：由另一名安全管理员办理，或先收回旧的。"
        ) from error
    told = {"role": role.value, "agency": agency, "division": division, "reason": reason[:200]}
    _log("account.role_given", account_id, by, at, told)
    return row.pk


@transaction.atomic
def revoke(assignment_id: int, *, by: Actor, at: datetime) -> None:
    """End a role. The next request of the account is already without it."""
    _need(by, Role.SECURITY_ADMINISTRATOR)
    row = Assignment.objects.filter(pk=assignment_id, until=None).first()
    if row is None:
        return
    Assignment.objects.filter(pk=assignment_id, until=None).update(until=at)
    told = {"role": row.role, "agency": row.agency, "division": row.division}
    _log("account.role_ended", row.account_id, by, at, told)


@transaction.atomic
def record_ownership(
    account_id: uuid.UUID, trader_code: str, *, evidence: str, at: datetime
) -> None:
    """Note that a person is the operator of a trader. Again is no change."""
    held = Ownership.objects.filter(
        holds_at(at), account_id=account_id, trader_code=trader_code
    ).exists()
    if not held:
        Ownership.objects.create(
            account_id=account_id, trader_code=trader_code, since=at, evidence=evidence
        )


@transaction.atomic
def end_ownership(account_id: uuid.UUID, trader_code: str, *, at: datetime) -> None:
    """The person is no longer the operator; leave she gave ends with it (it rests on hers)."""
    Ownership.objects.filter(account_id=account_id, trader_code=trader_code, until=None).update(
        until=at
    )
    Authorisation.objects.filter(by=account_id, trader_code=trader_code, ended_at=None).update(
        ended_at=at
    )


@transaction.atomic
def authorise(
    trader_code: str,
    *,
    to: uuid.UUID,
    purpose: Purpose,
    until: datetime,
    by: Actor,
    at: datetime,
) -> int:
    """Let another person view or act for a trader until a moment; only the owner can.

    Raises: NotAllowed (not the owner); AccountConflict (no end, too long, to oneself).
    """
    if trader_code not in by.own:
        raise NotAllowed("只有经营者本人可以授权他人。")
    if not at < until <= at + LONGEST_AUTHORISATION:
        raise AccountConflict("授权要写明期限，最长一年。处理办法：改短期限，到期再授。")
    if str(to) == by.account_id:
        raise AccountConflict("不用给自己授权。")
    row = Authorisation.objects.create(
        trader_code=trader_code,
        by_id=by.account_id,
        to_id=to,
        purpose=purpose.value,
        since=at,
        until=until,
    )
    return row.pk


@transaction.atomic
def end_authorisation(authorisation_id: int, *, by: Actor, at: datetime) -> None:
    """Take leave back; only its giver or its holder can. Raises NotAllowed."""
    row = Authorisation.objects.get(pk=authorisation_id)
    if by.account_id not in (str(row.by_id), str(row.to_id)):
        raise NotAllowed("只有授权人或被授权人可以结束授权。")
    Authorisation.objects.filter(pk=authorisation_id, ended_at=None).update(ended_at=at)


# Accounts of people who came to a window and had none.


@transaction.atomic
def open_unclaimed(name: str, *, by: Actor, at: datetime) -> uuid.UUID:
    """Open an account for a person whose identity document the officer looked at; returns its id.
    Nobody can sign in with it: it has neither password nor identity, only a claim. ``name`` as in
    the document. Raises ClaimRefused where it cannot be a name."""
    plain = " ".join(name.split())
    if not 2 <= len(plain) <= 60 or any(c.isdigit() for c in plain):
        raise ClaimRefused("要写身份证件上的姓名。处理办法：照证件写，不写证件号码。")
    account = Account.objects.create(
        login=f"window-{secrets.token_hex(12)}",
        name=plain,
        duty=Duty.PERSON.value,
        created_at=at,
        password=make_password(None),
    )
    Claim.objects.create(account=account, opened_by_id=by.account_id)
    _log("account.opened_at_window", account.pk, by, at, {})
    return account.pk


@transaction.atomic
def make_claim_code(account_id: uuid.UUID, *, by: Actor, at: datetime) -> str:
    """A new code for an account nobody has claimed, shown once; the one before is void. Only its
    digest is kept. Raises ClaimRefused where there is nothing to claim."""
    claim = Claim.objects.select_for_update().filter(account=account_id, claimed_by=None).first()
    if claim is None:
        raise ClaimRefused("这个账号不用认领，或者已经认领了。处理办法：请她自己登录。")
    code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(12))
    claim.code_digest, claim.until = _claim_digest(code), at + CLAIM_CODE_LASTS
    claim.tries_left = CLAIM_TRIES
    claim.save(update_fields=["code_digest", "until", "tries_left"])
    _log("account.claim_code_made", account_id, by, at, {})
    return "-".join(code[i : i + 4] for i in range(0, 12, 4))


@transaction.atomic
def claim_account(code: str, *, by: Actor, at: datetime) -> uuid.UUID | None:
    """Make what an unclaimed account owns the actor's, and close it; returns its id, again for a
    second time. None when the code is wrong, void or too old, or belongs to another name: which of
    these is not told, and it counts. Raises ClaimRefused: signed in without a verified identity,
    or too many tries today."""
    mine = Account.objects.select_for_update().get(pk=by.account_id)
    if mine.duty != Duty.PERSON.value or not mine.identity_issuer:
        raise ClaimRefused(
            "认领要用核验过身份的登录。处理办法：退出，用统一身份认证登录，再输入认领码。"
        )
    tries, _ = ClaimTries.objects.get_or_create(account=mine, on=at.astimezone(CITY_TIME).date())
    if tries.wrong >= CLAIM_TRIES:
        raise ClaimRefused("今天输错的次数太多。处理办法：明天再试，或者带身份证件到窗口。")
    claim = _claim_of_code(code)
    if claim is not None and claim.claimed_by_id == mine.pk:
        return claim.account_id
    if claim is None or not _claim_fits(claim, mine, at):
        ClaimTries.objects.filter(pk=tries.pk).update(wrong=F("wrong") + 1)
        if claim is not None and claim.tries_left:
            Claim.objects.filter(pk=claim.pk).update(tries_left=F("tries_left") - 1)
        _log("account.claim_failed", mine.pk, by, at, {})
        return None
    _hand_over_claimed(claim, mine, by, at)
    return claim.account_id


def _claim_of_code(code: str) -> Claim | None:
    digest = _claim_digest("".join(c for c in code.upper() if c.isalnum()))
    rows = Claim.objects.select_for_update(of=("self",)).select_related("account")
    return rows.filter(code_digest=digest).first()


def _claim_fits(claim: Claim, mine: Account, at: datetime) -> bool:
    good = claim.claimed_by_id is None and claim.tries_left > 0
    return (
        good
        and claim.until is not None
        and at <= claim.until
        and is_called(mine.pk, claim.account.name)
    )


def _hand_over_claimed(claim: Claim, mine: Account, by: Actor, at: datetime) -> None:
    held = Ownership.objects.filter(account=claim.account_id, until=None)
    for trader_code in list(held.values_list("trader_code", flat=True)):
        end_ownership(claim.account_id, trader_code, at=at)
        record_ownership(mine.pk, trader_code, evidence="窗口核对身份证件，本人认领", at=at)
    Account.objects.filter(pk=claim.account_id, closed_at=None).update(closed_at=at)
    Claim.objects.filter(pk=claim.pk).update(claimed_by=mine, claimed_at=at)
    _log("account.claimed", claim.account_id, by, at, {})


def _claim_digest(code: str) -> str:
    return salted_hmac("getihu.claim", code, algorithm="sha256").hexdigest()


def _log(
    kind: str, account_id: uuid.UUID, by: Actor | None, at: datetime, body: dict[str, str]
) -> None:
    """What happened to an account's rights; ``by`` None is the set-up of an installation."""
    actor = f"account:{by.account_id}" if by else "job:setup"
    audit.record(AuditEvent(kind, actor, f"account:{account_id}", at, body))


def _need(by: Actor, role: Role) -> None:
    if role not in by.roles:
        raise NotAllowed(f"这件事要由{ROLE_LABELS[role]}办理。")


# The demo's people: login, name, what is told, role, agency, division. All invented.
DEMO_OFFICERS = (
    ("demo-window", "示例窗口", Role.WINDOW_OFFICER, "amr", "330302"),
    ("demo-case", "示例经办", Role.CASE_OFFICER, "amr", "330302"),
    ("demo-chief", "示例负责", Role.SUPERVISOR, "amr", "330302"),
    ("demo-fire", "示例消防", Role.CASE_OFFICER, "fire", "330302"),
    ("demo-power", "示例供电", Role.CASE_OFFICER, "power", "330302"),
    ("demo-street", "示例街道办", Role.CASE_OFFICER, "town", "330302006"),
    ("demo-discipline", "示例纪检", Role.CASE_OFFICER, "discipline", "330302"),
    ("demo-tax", "示例税务", Role.CASE_OFFICER, "tax", "330300"),
    ("demo-city", "示例市监", Role.WINDOW_OFFICER, "amr", "330300"),
    ("demo-town", "示例街道", Role.WINDOW_OFFICER, "amr", "330302001"),
    ("demo-growth", "示例培育", Role.CASE_OFFICER, "amr", "330300"),
    ("demo-growth-chief", "示例培育负责", Role.SUPERVISOR, "amr", "330300"),
    ("demo-yueqing", "示例乐清", Role.WINDOW_OFFICER, "amr", "330382"),
    ("demo-inspector", "示例执法", Role.INSPECTOR, "amr", "330300"),
    ("demo-policy", "示例政策", Role.POLICY_WRITER, "amr", "330300"),
    ("demo-data", "示例数据", Role.DATA_OFFICER, "data", "330300"),
    ("demo-policy-chief", "示例处长", Role.SUPERVISOR, "hrss", "330300"),
    ("demo-award", "示例核查", Role.CASE_OFFICER, "hrss", "330300"),
    ("demo-finance", "示例财政", Role.FINANCE_OFFICER, "finance", "330300"),
    ("demo-bank", "示例银行", Role.BANK_CLERK, "bank", "330300"),
    ("demo-office", "示例市府", Role.COCKPIT_VIEWER, "government", "330300"),
    ("demo-system", "示例系统", Role.SYSTEM_ADMINISTRATOR, "data", "330300"),
    ("demo-security", "示例安全", Role.SECURITY_ADMINISTRATOR, "data", "330300"),
    ("demo-audit", "示例审计", Role.AUDIT_ADMINISTRATOR, "audit", "330300"),
)
REGIONS = {
    "330300": "温州市",
    "330302": "鹿城区",
    "330302001": "五马街道",
    "330302006": "五马街道",
    "330382": "乐清市",
}


def erase_sessions(before: datetime, *, at: datetime) -> int:
    """Forget sessions that ran out before a moment."""
    return Session.objects.filter(expire_date__lt=before).delete()[0]


def erase_attempts(before: datetime, *, at: datetime) -> int:
    """Forget failed attempts to sign in made before a moment."""
    return AccessAttempt.objects.filter(attempt_time__lt=before).delete()[0]


class NotADemo(GetihuError):
    """The demo's people belong to a demo city only."""


@transaction.atomic
def open_demo_cast(trader_codes: list[str], *, at: datetime) -> int:
    """Open the demo's people: an owner for each trader, a helper of the first, officers.

    Again is no change; returns how many were opened. Raises NotADemo in a real installation.
    """
    if not is_demo():
        raise NotADemo("这里不是演示城市，不开演示账号。")
    if Account.objects.filter(identity_issuer=DEMO_ISSUER).exists():
        return 0
    for login, name, role, agency, division in DEMO_OFFICERS:
        told = f"{ROLE_LABELS[role]}，{REGIONS[division]}"
        account = _open_demo(login, name, duty_of(role), told, at)
        assign(account, role, agency=agency, division=division, reason="演示", at=at, by=None)
    owners = [_open_demo_owner(i, code, at) for i, code in enumerate(trader_codes[:5], start=1)]
    if owners:
        _open_demo_helper(owners[0], trader_codes[0], at)
    _open_demo("demo-operators", "示例众店主", Duty.PERSON, "许多经营者，只在演示的兑付里出现", at)
    return Account.objects.filter(identity_issuer=DEMO_ISSUER).count()


@transaction.atomic
def open_demo_offices(agencies: Sequence[str], division: str, *, at: datetime) -> None:
    """Open one demo account that plays case officer in several offices of a place; again is no
    change. Raises NotADemo in a real installation."""
    if not is_demo():
        raise NotADemo("这里不是演示城市，不开演示账号。")
    if Account.objects.filter(login="demo-offices").exists():
        return
    told = f"经办人员，{REGIONS[division]}的别的各部门"
    account = _open_demo("demo-offices", "示例各部门", Duty.BUSINESS, told, at)
    for agency in agencies:
        role = Role.CASE_OFFICER
        assign(account, role, agency=agency, division=division, reason="演示", at=at, by=None)


def _open_demo(login: str, name: str, duty: Duty, told: str, at: datetime) -> uuid.UUID:
    account = open_account(login=login, name=name, duty=duty, at=at)
    # Unique with the issuer; two people never do quite the same.
    subject = f"{told}（{login.removeprefix('demo-')}）"
    Account.objects.filter(pk=account).update(identity_issuer=DEMO_ISSUER, identity_subject=subject)
    return account


def _open_demo_owner(number: int, code: str, at: datetime) -> uuid.UUID:
    account = _open_demo(
        f"demo-owner-{number}", f"示例店主{number}", Duty.PERSON, f"经营者，店 {code}", at
    )
    record_ownership(account, code, evidence="演示", at=at)
    return account


def _open_demo_helper(owner: uuid.UUID, code: str, at: datetime) -> None:
    helper = _open_demo("demo-helper", "示例亲友", Duty.PERSON, f"受托人，可以看店 {code}", at)
    Authorisation.objects.create(
        trader_code=code,
        by_id=owner,
        to_id=helper,
        purpose=Purpose.VIEW.value,
        since=at,
        until=at + LONGEST_AUTHORISATION,
    )
