"""What nobody handed in goes after its term; the rows stay, empty. Handed in, a case stays whole."""

from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from getihu.cases.machine import State
from getihu.cases.models import Attachment, BundleFile, BundleRun, Case, HandledPost
from getihu.cases.services.attachments import path_of


def erase_discarded(before: datetime, *, at: datetime) -> int:
    """Empty drafts that were deleted before a moment, and let go of their files."""
    return _empty(
        Case.objects.filter(state=State.DISCARDED.value, ended_at__lt=before),
        BundleRun.objects.filter(discarded_at__lt=before),
        at,
    )


def erase_left_drafts(before: datetime, *, at: datetime) -> int:
    """Empty drafts begun before a moment and never handed in; she can go on with an empty form."""
    return _empty(
        Case.objects.filter(state=State.DRAFT.value, opened_at__lt=before),
        BundleRun.objects.filter(opened_at__lt=before, discarded_at=None, submitted_at=None),
        at,
    )


@transaction.atomic
def _empty(cases: Any, runs: Any, at: datetime) -> int:
    Attachment.objects.filter(case__in=cases, removed_at=None).update(removed_at=at)
    BundleFile.objects.filter(run__in=runs, removed_at=None).update(removed_at=at)
    return cases.exclude(form={}).update(form={}) + runs.exclude(form={}).update(form={})


def erase_files(before: datetime, *, at: datetime) -> int:
    """Delete files that were taken out before a moment, unless the same file is still in use; of
    the rows the digest goes too. Killed between, it goes on the next time."""
    gone = 0
    for model in (Attachment, BundleFile):
        taken = model.objects.filter(removed_at__lt=before).exclude(sha256="")
        for digest in sorted(set(taken.values_list("sha256", flat=True))):
            with transaction.atomic():
                if not _is_used(digest):
                    default_storage.delete(path_of(digest))
                gone += taken.filter(sha256=digest).update(sha256="")
    return gone


def _is_used(digest: str) -> bool:
    kept = {"sha256": digest, "removed_at": None}
    return Attachment.objects.filter(**kept).exists() or BundleFile.objects.filter(**kept).exists()


def erase_posts(before: datetime, *, at: datetime) -> int:
    """Forget forms that acted before a moment: sent again after that they are new ones."""
    return HandledPost.objects.filter(at__lt=before).delete()[0]
