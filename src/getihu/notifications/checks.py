"""Start-up refusals of what reaches outside."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from getihu.notifications.carriers.http import is_safe
from getihu.notifications.carriers.webhook import BadEndpoint, endpoints


@register(Tags.security)
def check_carriers(**_: Any) -> list[CheckMessage]:
    """Refuse endpoints and gateways that cannot be used, by name and without their secrets."""
    problems = []
    try:
        endpoints()
    except BadEndpoint as error:
        problems.append(str(error))
    gateway = settings.SMS_GATEWAY
    if gateway["url"] and not is_safe(gateway["url"]):
        problems.append("GETIHU_SMS_GATEWAY_URL 要以 https:// 开头")
    if gateway["url"] and not gateway["token"]:
        problems.append("写了 GETIHU_SMS_GATEWAY_URL，也要写 GETIHU_SMS_GATEWAY_TOKEN")
    return [Error(text, id="getihu.E021", obj="设置") for text in problems]
