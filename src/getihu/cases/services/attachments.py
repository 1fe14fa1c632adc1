"""Files of a case: inert kinds only, looked into before they are kept, given out as downloads."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.cases.machine import State
from getihu.cases.models import Attachment
from getihu.cases.ports import ScannerUnavailable, scanner
from getihu.cases.selectors.definitions import matter_of
from getihu.cases.services.rights import check_starter, locked_case
from getihu.cases.services.steps import IllegalMove, note_event
from getihu.kernel.errors import GetihuError

LARGEST_BYTES = 10 * 1024 * 1024  # 本项目设定，非官方
MOST_FILES = 20  # 本项目设定，非官方
_BEGINNINGS = {
    "pdf": b"%PDF-",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff",
}


class FileRefused(GetihuError):
    """The file cannot be taken: too large, of another kind, or the scanner refused it."""


def kind_of(content: bytes) -> str:
    """The kind a file is by its own beginning, never by its name; empty for any other."""
    return next((k for k, start in _BEGINNINGS.items() if content.startswith(start)), "")


@transaction.atomic
def attach(
    case_id: uuid.UUID, document_id: str, content: bytes, *, by: Actor, at: datetime
) -> uuid.UUID:
    """Add a file for one document of the matter. The same file again is the same attachment.

    Raises FileRefused, IllegalMove (handed in already; held by a department), NotAllowed.
    """
    case = locked_case(case_id, by)
    matter = matter_of(case)
    check_starter(matter, case.trader_code, by)
    if case.state not in (State.DRAFT, State.CORRECTION):
        raise IllegalMove("已经提交，不能再添文件。")
    if document_id not in {document.id for document in matter.to_bring}:
        raise IllegalMove("这件事项不要这份文件。部门已有的材料不用您交。")
    kept = Attachment.objects.filter(case=case, removed_at=None)
    digest = hashlib.sha256(content).hexdigest()
    same = kept.filter(document_id=document_id, sha256=digest).first()
    if same is not None:
        return same.pk
    file = take_in(content, kept.count())
    note_event(case, "case.file_added", by, at, document=document_id, sha256=digest)
    return Attachment.objects.create(
        case=case, document_id=document_id, at=at, by_id=by.account_id, **file
    ).pk


def take_in(content: bytes, kept_before: int) -> dict[str, Any]:
    """Look at a file and keep it; returns what is written of it. Raises FileRefused."""
    kind = _check_shape(content)
    if kept_before >= MOST_FILES:
        raise FileRefused(f"一件最多放 {MOST_FILES} 个文件。处理办法：去掉不要的再传。")
    scanned_by = _check_clean(content)
    digest = hashlib.sha256(content).hexdigest()
    size = len(content)
    if not default_storage.exists(path_of(digest)):
        default_storage.save(path_of(digest), ContentFile(content))
    return {"kind": kind, "size_bytes": size, "sha256": digest, "scanned_by": scanned_by}


@transaction.atomic
def take_out(case_id: uuid.UUID, attachment_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take a file out before handing in. Its row stays, with the moment."""
    case = locked_case(case_id, by)
    check_starter(matter_of(case), case.trader_code, by)
    if case.state not in (State.DRAFT, State.CORRECTION):
        raise IllegalMove("已经提交，不能再去掉文件。")
    kept = Attachment.objects.filter(pk=attachment_id, case=case, removed_at=None)
    if kept.update(removed_at=at):
        note_event(case, "case.file_removed", by, at, attachment=str(attachment_id))


def path_of(digest: str) -> str:
    """Where a file lies: a name made of its digest, which no web address leads to."""
    return f"attachments/{digest[:2]}/{digest}"


def _check_shape(content: bytes) -> str:
    if not content:
        raise FileRefused("文件是空的。处理办法：重新选一个。")
    if len(content) > LARGEST_BYTES:
        raise FileRefused("文件超过 10 MB。处理办法：压缩或者重拍一张小一点的。")
    kind = kind_of(content)
    if not kind:
        raise FileRefused("只收 PDF、PNG、JPEG。处理办法：拍照或者导出为 PDF 再传。")
    return kind


def _check_clean(content: bytes) -> str:
    try:
        finding = scanner()(content)
    except ScannerUnavailable as error:
        raise FileRefused("文件检查暂时不能用，文件没有收下。处理办法：过一会儿再传。") from error
    if finding.refused:
        raise FileRefused(f"{finding.refused}，文件没有收下。处理办法：换一份干净的。")
    return finding.scanner
