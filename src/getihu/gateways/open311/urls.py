"""Addresses of GeoReport v2."""

from django.urls import path, register_converter

from getihu.gateways.open311 import views


class Form:
    """The two forms of an answer."""

    regex = "json|xml"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Form, "georeport_form")
app_name = "open311"
urlpatterns = [
    path("open311/discovery.<georeport_form:form>", views.discovery, name="discovery"),
    path("open311/v2/services.<georeport_form:form>", views.list_services, name="services"),
    path("open311/v2/requests.<georeport_form:form>", views.requests, name="requests"),
    path(
        "open311/v2/requests/<str:number>.<georeport_form:form>", views.one_request, name="request"
    ),
]
