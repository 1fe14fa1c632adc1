"""Checking who somebody is: password, then for officers a one-time code. Every door ends here."""

import hashlib
import io
import uuid
from base64 import b32encode, b64encode
from datetime import datetime

import qrcode
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

from getihu.accounts import provincial, selectors, services
from getihu.accounts.contracts import Duty
from getihu.accounts.models import Account, UsedTicket
from getihu.accounts.ports import TicketRefused
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent

ISSUER = "个体工商户服务"


class Refused(Exception):
    """Sign-in is refused; the same words for a wrong name, password or code."""


class Locked(Exception):
    """Too many wrong attempts; guessing pauses."""


class NeedsSecondFactor(Exception):
    """The password is right, and the officer has no second factor yet; carries the account."""

    def __init__(self, account: Account) -> None:
        super().__init__("second factor missing")
        self.account = account


def check(
    request: HttpRequest, username: str, password: str, code: str
) -> tuple[Account, TOTPDevice | None]:
    """The account these belong to, and an officer's device that made the code.

    Raises Refused, Locked, NeedsSecondFactor.

    A wrong code counts as a wrong password does, so that codes cannot be guessed either.
    """
    account = authenticate(request, username=username, password=password)
    if getattr(request, "axes_locked_out", False):
        raise Locked
    if not isinstance(account, Account):
        raise Refused
    if account.duty == Duty.PERSON:
        return account, None
    return account, check_code(request, account, code)


def check_ticket(ticket: str, *, at: datetime) -> Account:
    """The account behind a ticket of the provincial login; opened at the first sign-in of a person
    the province knows. A ticket is good once, by the province's word and by our own table.

    Raises: TicketRefused, ProvinceUnreachable, services.AccountConflict (closed here).
    """
    identity = import_string(settings.PROVINCIAL_LOGIN)().redeem(ticket)
    try:
        with transaction.atomic():
            digest = hashlib.sha256(ticket.encode()).hexdigest()
            UsedTicket.objects.create(digest=digest, at=at)
            account = selectors.find_by_identity(provincial.ISSUER, identity.subject)
            if account is None:
                opened = services.open_by_identity(
                    provincial.ISSUER, identity.subject, identity.name, at=at
                )
                account = Account.objects.get(pk=opened)
    except IntegrityError:
        raise TicketRefused("登录凭证无效或者用过了。处理办法：重新登录。") from None
    return account


def check_code(request: HttpRequest, account: Account, code: str) -> TOTPDevice:
    """The device that made the code of somebody whose first factor has been checked, here or by
    their provider.

    Raises Refused, Locked, NeedsSecondFactor.
    """
    device = TOTPDevice.objects.filter(user=account, confirmed=True).first()
    if device is None:
        raise NeedsSecondFactor(account)
    if is_paused(request, account):
        raise Locked
    if not _verified(device, code):
        named = {"username": account.login}
        user_login_failed.send(sender=__name__, credentials=named, request=request)
        if getattr(request, "axes_locked_out", False):
            raise Locked
        raise Refused
    return device


def is_paused(request: HttpRequest, account: Account) -> bool:
    """Whether too many wrong attempts have stopped this login name for now."""
    return not AxesProxyHandler.is_allowed(request, {"username": account.login})


def _verified(device: TOTPDevice, code: str) -> bool:
    """A code counts once, and the row is locked so that two at the same moment do not."""
    with transaction.atomic():
        held = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        return bool(code) and held.verify_token(code)


def device_to_enrol(account: Account) -> TOTPDevice:
    """The device being enrolled: made at the first look, the same until it is confirmed."""
    device, _ = TOTPDevice.objects.get_or_create(
        user=account, confirmed=False, defaults={"name": "动态口令"}
    )
    return device


def secret_of(device: TOTPDevice) -> str:
    """The secret as people type it into an authenticator, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def picture_of(device: TOTPDevice) -> str:
    """The QR code as an address of its own, which the content policy allows for pictures."""
    out = io.BytesIO()
    qrcode.make(device.config_url, image_factory=SvgPathImage, border=2).save(out)
    return "data:image/svg+xml;base64," + b64encode(out.getvalue()).decode()


def confirm(account: Account, code: str, *, at: datetime) -> TOTPDevice:
    """Confirm the device by a first code from it. Raises Refused."""
    device = device_to_enrol(account)
    if not _verified(device, code):
        raise Refused
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        tell("account.second_factor_added", account.pk, at=at)
    return device


@transaction.atomic
def tell(kind: str, account_id: uuid.UUID, *, at: datetime) -> None:
    """Write what happened to an account into the audit log."""
    reference = f"account:{account_id}"
    audit.record(AuditEvent(kind=kind, actor=reference, object=reference, at=at, body={}))
