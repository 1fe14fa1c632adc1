"""A browser in which somebody is signed in, officers with their second factor as well."""

from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts.contracts import Duty
from getihu.accounts.models import Account


def sign_in(client: Client, account: Account) -> None:
    client.force_login(account)
    if account.duty == Duty.PERSON:
        return
    device, _ = TOTPDevice.objects.get_or_create(user=account, confirmed=True, name="test")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
