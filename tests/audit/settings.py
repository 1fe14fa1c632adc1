"""Settings of a sequencer in a process of its own: the real ones, with the quick key alone."""

from getihu.config.settings import *  # noqa: F403

AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
