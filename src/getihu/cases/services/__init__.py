"""What people do with cases. Every function is one transaction; times are passed in."""

from getihu.cases.services.applicant import NoOwner, open_draft, save_draft, submit, withdraw
from getihu.cases.services.attachments import FileRefused, attach, take_out
from getihu.cases.services.clocks import extend_clock, pause_clock, resume_clock
from getihu.cases.services.desk import (
    accept,
    finish_stage,
    hand_over,
    refuse_to_accept,
    request_materials,
)
from getihu.cases.services.once import KeyUsed, once
from getihu.cases.services.rights import NotAllowed
from getihu.cases.services.steps import IllegalMove
from getihu.cases.services.sweep import sweep_due

__all__ = [
    "FileRefused",
    "IllegalMove",
    "KeyUsed",
    "NoOwner",
    "NotAllowed",
    "accept",
    "attach",
    "extend_clock",
    "finish_stage",
    "hand_over",
    "once",
    "open_draft",
    "pause_clock",
    "refuse_to_accept",
    "request_materials",
    "resume_clock",
    "save_draft",
    "submit",
    "sweep_due",
    "take_out",
    "withdraw",
]
