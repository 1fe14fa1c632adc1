"""Routes of the service."""

from django.urls import URLPattern, URLResolver, include, path

from getihu.config.api import api
from getihu.config.room import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("getihu.portal.urls")),
    path("", include("getihu.accounts.urls")),
    path("", include("getihu.access.urls")),
    path("", include("getihu.policies.urls")),
    path("", include("getihu.gateways.open311.urls")),
    path("api/", api.urls),
    path("health", health, name="health"),
]

handler400 = "getihu.portal.views.bad_request"
handler404 = "getihu.config.api.page_not_found"
handler500 = "getihu.config.room.server_error"
