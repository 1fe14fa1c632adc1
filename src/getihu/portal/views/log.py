"""The public pages of the audit log: how far it has come, is mine in it, the files to check it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from getihu.audit import selectors as audit
from getihu.audit.contracts import Receipt
from getihu.portal.views import Refused, page


@require_safe
@page
def home(request: HttpRequest) -> HttpResponse:
    checkpoint = audit.find_checkpoint()
    asked = "".join(request.GET.get("find", "").split()).lower()
    context = {
        "checkpoint": checkpoint,
        "root": checkpoint.root.hex() if checkpoint else "",
        "status": audit.log_status(),
        "asked": asked[:64],
        "is_fingerprint": bool(audit.FINGERPRINT.fullmatch(asked)),
        "found": [_answer(receipt) for receipt in audit.find_receipts(asked)],
    }
    return render(request, "portal/log.html", context)


def _answer(receipt: Receipt) -> dict[str, Any]:
    """What the page says of one entry: waiting, proven, or (never) not matching the root."""
    try:
        proof = audit.inclusion_proof(receipt)
    except audit.NotInLog:
        return {"commitment": receipt.commitment, "is_waiting": True}
    return {
        "commitment": receipt.commitment,
        "place": proof.log_index,
        "holds": audit.check_inclusion(proof),
        "steps": len(proof.path),
    }


@require_safe
@page
def proof(request: HttpRequest, commitment: str) -> HttpResponse:
    found = [r for r in audit.find_receipts(commitment) if r.commitment == commitment]
    if not found:
        raise _not_there()
    answer = HttpResponse(audit.receipt_file(found[0]), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{commitment[:16]}.tlog-proof"'
    return answer


@require_safe
@page
def published(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the log as it lies. A full tile never changes; the checkpoint always may."""
    content = audit.read_published(name)
    if content is None:
        raise _not_there()
    is_text = name in ("checkpoint", "keys")
    kind = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
    answer = HttpResponse(content, content_type=kind)
    is_final = not is_text and ".p/" not in name
    answer["Cache-Control"] = "public, max-age=31536000, immutable" if is_final else "no-cache"
    return answer


def _not_there() -> Refused:
    return Refused(404, "日志里没有", "没有这个文件或这一条。", ("核对指纹，或者稍后再查。",))
