"""What other apps may do to the audit log: tell an event, take events into the log, erase."""

from getihu.audit.canonical import InvalidEvent, PersonalInClear
from getihu.audit.services.events import (
    OutsideTransaction,
    acting,
    destroy_subject_key,
    record,
    record_all,
)
from getihu.audit.services.retention import TooEarly, empty_old_events
from getihu.audit.services.sequencing import (
    LogDamaged,
    LogRolledBack,
    LogStalled,
    SequencerRunning,
    check_keeps_up,
    demo_starts_over,
    rebuild_files,
    sequence,
    standing_still,
)
from getihu.audit.services.witnessing import (
    WitnessMissing,
    WitnessRefused,
    WitnessUnknown,
    witnesses,
)
from getihu.audit.signers import KeyMissing, SigningFailed

__all__ = [
    "InvalidEvent",
    "KeyMissing",
    "LogDamaged",
    "LogRolledBack",
    "LogStalled",
    "OutsideTransaction",
    "PersonalInClear",
    "SequencerRunning",
    "SigningFailed",
    "TooEarly",
    "WitnessMissing",
    "WitnessRefused",
    "WitnessUnknown",
    "acting",
    "check_keeps_up",
    "demo_starts_over",
    "destroy_subject_key",
    "empty_old_events",
    "rebuild_files",
    "record",
    "record_all",
    "sequence",
    "standing_still",
    "witnesses",
]
