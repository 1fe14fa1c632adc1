"""Credit codes for new shops, out of the block of subject numbers this registrar was given."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from getihu.entry.models import AllottedCode
from getihu.kernel.codes import ALPHABET, check_character, organisation_check
from getihu.kernel.errors import GetihuError

_DIGITS = 4


class BlockUsedUp(GetihuError):
    """Every number of the block is given out."""


@transaction.atomic
def allot_code(county_code: str, *, at: datetime) -> str:
    """Return a credit code nobody has (GB 32100-2015): market regulation, sole trader, the county
    of registration, the next subject number of ``CREDIT_CODE_BLOCK``. Raises BlockUsedUp."""
    last = AllottedCode.objects.aggregate(last=Max("number"))["last"]
    number = 0 if last is None else last + 1
    if number >= len(ALPHABET) ** _DIGITS:
        raise BlockUsedUp("码段已经用完。处理办法：向上级申领新的码段，写进 CREDIT_CODE_BLOCK。")
    digits, rest = "", number
    for _ in range(_DIGITS):
        rest, value = divmod(rest, len(ALPHABET))
        digits = ALPHABET[value] + digits
    body = settings.CREDIT_CODE_BLOCK + digits
    first17 = f"92{county_code}{body}{organisation_check(body)}"
    code = first17 + check_character(first17)
    AllottedCode.objects.create(number=number, trader_code=code, at=at)
    return code
