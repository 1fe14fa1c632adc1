"""Signing in by an organisation's own identity provider: OpenID Connect, code flow with PKCE.

The provider says who somebody is; what they may do stands here alone. An identity nobody linked to
an account opens none.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from getihu.kernel.errors import GetihuError


class IdentityRefused(GetihuError):
    """The provider's answer does not hold: altered, late, of another sign-in, or a refusal."""


class ProviderUnreachable(GetihuError):
    """The provider does not answer."""


@dataclass(frozen=True)
class Identity:
    """Who the provider says this is; ``subject`` is its stable number for the person."""

    issuer: str
    subject: str


def is_configured() -> bool:
    return bool(settings.OIDC["issuer"])


def send_away(request: HttpRequest, back: str) -> HttpResponse:
    """The browser on its way to the provider, with state, nonce and the challenge of PKCE kept in
    the session. Raises ProviderUnreachable."""
    try:
        answer: HttpResponse = _client().authorize_redirect(request, back)
    except (requests.RequestException, ValueError, AuthlibBaseError) as error:
        raise ProviderUnreachable("单位的统一身份认证现在没有回应。") from error
    return answer


def who_came_back(request: HttpRequest) -> Identity:
    """Redeem the code the browser brought; signature, issuer, audience, time, nonce and state are
    checked. Raises: IdentityRefused, ProviderUnreachable."""
    try:
        token = _client().authorize_access_token(request)
    except requests.RequestException as error:
        raise ProviderUnreachable("单位的统一身份认证现在没有回应。") from error
    except (AuthlibBaseError, ValueError, KeyError) as error:
        raise IdentityRefused("这次登录没有核对上，请再登录一次。") from error
    claims = token.get("userinfo") or {}
    subject, issuer = claims.get("sub"), claims.get("iss")
    if not subject or issuer != settings.OIDC["issuer"]:
        raise IdentityRefused("这次登录没有核对上，请再登录一次。")
    return Identity(issuer, subject)


def _client() -> Any:
    return _registered(*(settings.OIDC[key] for key in ("issuer", "client_id", "client_secret")))


@lru_cache(maxsize=4)
def _registered(issuer: str, client_id: str, client_secret: str) -> Any:
    return OAuth().register(
        "getihu",
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=client_id,
        client_secret=client_secret,
        client_kwargs={
            "scope": "openid",  # who, and nothing else about the person
            "code_challenge_method": "S256",
            "timeout": 10,
        },
    )
