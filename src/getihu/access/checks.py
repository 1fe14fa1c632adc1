"""Start-up check: every route has a row in the policy."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from getihu.access.selectors import PolicyBroken, list_problems


@register(Tags.security)
def check_every_route_has_a_row(**_: Any) -> list[CheckMessage]:
    try:
        problems = list_problems()
    except PolicyBroken as error:
        problems = [str(error)]
    return [
        Error(problem, hint="在 src/getihu/access/policy.yaml 写明谁可以用", id="getihu.E010")
        for problem in problems
    ]
