"""What is done with certificates: issue, show, present, take back. Times are passed in."""

from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.credentials.status import Status
from getihu.passport.services.issuing import (
    change_hands,
    issue_certificate,
    note_followed,
    revoke_all,
    set_status,
)
from getihu.passport.services.presenting import (
    BadPresentation,
    BadRequest,
    answer,
    ask,
    decline,
    erase_shown,
    take_back,
    take_response,
    wipe_expired,
)
from getihu.passport.services.showing import (
    CodeExpired,
    NoLicence,
    NotHers,
    check_text,
    erase_codes,
    make_code,
    make_offline_code,
    make_package,
    scan,
)

__all__ = [
    "BadCredential",
    "BadPresentation",
    "BadRequest",
    "CodeExpired",
    "NoLicence",
    "NotHers",
    "Status",
    "answer",
    "ask",
    "change_hands",
    "check_text",
    "decline",
    "erase_codes",
    "erase_shown",
    "issue_certificate",
    "make_code",
    "make_offline_code",
    "make_package",
    "note_followed",
    "revoke_all",
    "scan",
    "set_status",
    "take_back",
    "take_response",
    "wipe_expired",
]
