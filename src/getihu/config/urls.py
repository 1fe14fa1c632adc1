"""Routes of the service."""

from django.urls import URLPattern, URLResolver, include, path

from getihu.config.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("getihu.portal.urls")),
    path("", include("getihu.accounts.urls")),
    path("", include("getihu.access.urls")),
    path("", include("getihu.policies.urls")),
    path("", include("getihu.gateways.open311.urls")),
    path("api/", api.urls),
]

handler400 = "getihu.portal.views.bad_request"
handler404 = "getihu.config.api.page_not_found"
handler500 = "getihu.portal.views.server_error"
