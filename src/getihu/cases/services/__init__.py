"""What people do with cases. Every function is one transaction; times are passed in."""

from getihu.cases.services.applicant import NoOwner, open_draft, save_draft, submit, withdraw
from getihu.cases.services.attachments import FileRefused, attach, take_out
from getihu.cases.services.bundles import (
    attach_to_bundle,
    know_trader_as,
    open_bundle,
    redo_part,
    save_bundle,
    submit_bundle,
    take_out_of_bundle,
    try_held_parts,
    withdraw_bundle,
    withdraw_part,
)
from getihu.cases.services.clocks import extend_clock, pause_clock, resume_clock
from getihu.cases.services.contesting import ANSWERS, answer_contested, held_facts
from getihu.cases.services.desk import (
    accept,
    finish_stage,
    hand_over,
    refuse_to_accept,
    request_materials,
)
from getihu.cases.services.erasing import (
    erase_discarded,
    erase_files,
    erase_left_drafts,
    erase_posts,
)
from getihu.cases.services.once import KeyUsed, once
from getihu.cases.services.rights import NotAllowed
from getihu.cases.services.steps import IllegalMove
from getihu.cases.services.sweep import sweep_due

__all__ = [
    "ANSWERS",
    "FileRefused",
    "IllegalMove",
    "KeyUsed",
    "NoOwner",
    "NotAllowed",
    "accept",
    "answer_contested",
    "attach",
    "attach_to_bundle",
    "erase_discarded",
    "erase_files",
    "erase_left_drafts",
    "erase_posts",
    "extend_clock",
    "finish_stage",
    "hand_over",
    "held_facts",
    "know_trader_as",
    "once",
    "open_bundle",
    "open_draft",
    "pause_clock",
    "redo_part",
    "refuse_to_accept",
    "request_materials",
    "resume_clock",
    "save_bundle",
    "save_draft",
    "submit",
    "submit_bundle",
    "sweep_due",
    "take_out",
    "take_out_of_bundle",
    "try_held_parts",
    "withdraw",
    "withdraw_bundle",
    "withdraw_part",
]
