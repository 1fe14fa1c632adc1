"""Pages of two of the three administrations: who lost a second factor, and what was done to rights.

The security administrator changes, the audit administrator reads; neither has the other's page.
"""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.access import selectors as access
from getihu.access.services import AlarmRefused
from getihu.access.services import close_alarm as close
from getihu.accounts import selectors
from getihu.accounts import services as accounts
from getihu.audit import selectors as audit
from getihu.journeys import services
from getihu.portal.views import Refused
from getihu.portal.views.casework import act_once, actor_of, casework, fresh_key, now

LONGEST_SEARCH = 60
KINDS = {
    "account.role_given": "授权",
    "account.role_ended": "收回授权",
    "account.closed": "关闭账号",
    "account.identity_linked": "关联统一身份",
    "account.opened_by_identity": "凭统一身份开账号",
    "account.second_factor_added": "设好动态口令",
    "account.second_factor_reset": "重设动态口令",
    "account.signed_in": "登录",
    "account.signed_out": "退出",
}
security_page = casework("portal:desk-accounts")
alarm_page = casework("portal:desk-alarms")
audit_page = casework("portal:desk-account-log")


@require_GET
@security_page
def officers(request: HttpRequest) -> HttpResponse:
    """Officers of the administrator's region; each with the way to reset a lost second factor."""
    text = request.GET.get("text", "")[:LONGEST_SEARCH].strip()
    actor = actor_of(request)
    context = {
        "officers": selectors.list_officers_under(actor, now(), text=text),
        "text": text,
        "own": actor.account_id,
        "once": fresh_key(),
        "done": request.GET.get("done") == "reset",
    }
    return render(request, "portal/desk/accounts.html", context)


@require_POST
@security_page
def reset(request: HttpRequest) -> HttpResponse:
    """Take a lost second factor away; sent again it acts no second time."""
    try:
        account = uuid.UUID(request.POST.get("account", ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "没有写是哪个账号。") from None
    reason = request.POST.get("reason", "").strip()
    if not reason or not request.POST.get("checked"):
        ways = ("回到上一页，写明理由，并确认核对过本人。",)
        raise Refused(422, "还不能重设", "要写明理由，并当面或者用登记的电话核对过是本人。", ways)

    def do() -> str:
        try:
            services.reset_second_factor(account, reason=reason, by=actor_of(request), at=now())
        except accounts.NotAllowed as error:
            raise Refused(403, "这件事您不能办", str(error)) from error
        except accounts.AccountConflict as error:
            raise Refused(409, "没有重设", str(error)) from error
        return f"{reverse('portal:desk-accounts')}?done=reset"

    return act_once(request, do)


@require_GET
@alarm_page
def alarms(request: HttpRequest) -> HttpResponse:
    """Accounts of the administrator's region that looked at many people, and what it was."""
    actor = actor_of(request)
    context = {
        "alarms": access.list_alarms(actor, now()),
        "limits": settings.BULK_READING,
        "own": actor.account_id,
        "once": fresh_key(),
        "done": request.GET.get("done") == "closed",
    }
    return render(request, "portal/desk/alarms.html", context)


@require_POST
@alarm_page
def close_alarm(request: HttpRequest) -> HttpResponse:
    """Say what one was; sent again it acts no second time."""
    try:
        alarm = uuid.UUID(request.POST.get("alarm", ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "没有写是哪一条警报。") from None
    finding = request.POST.get("finding", "").strip()
    if not finding:
        ways = ("回到上一页，写明查下来是什么情况。",)
        raise Refused(422, "还不能了结", "没有写查下来是什么情况。", ways)

    def do() -> str:
        try:
            close(alarm, finding=finding, by=actor_of(request), at=now())
        except AlarmRefused as error:
            why, _, way = str(error).partition("处理办法：")
            raise Refused(409, "没有了结", why, (way,)) from error
        return f"{reverse('portal:desk-alarms')}?done=closed"

    return act_once(request, do)


@require_GET
@audit_page
def account_log(request: HttpRequest) -> HttpResponse:
    """What was done to accounts and rights, newest first; read only."""
    context = {"events": [_told(event) for event in audit.list_latest("account.")]}
    return render(request, "portal/desk/account_log.html", context)


def _told(event: Any) -> dict[str, Any]:
    return {
        "at": event.at,
        "what": KINDS.get(event.kind, event.kind),
        "by": event.actor,
        "whom": event.object,
        "details": "，".join(str(value) for value in event.body.values()),
        "index": event.log_index,
    }
