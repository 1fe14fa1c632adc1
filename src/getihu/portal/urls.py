"""Addresses of the pages. They carry codes and numbers, never names of people."""

from django.urls import path

from getihu.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("traders/<str:trader_code>/", views.trader, name="trader"),
    path("traders/<str:trader_code>/decisions/<str:rule_id>/", views.decision, name="decision"),
    path("data/", views.deliveries, name="data"),
    path("data/deliveries/<str:delivery_id>/quarantine/", views.quarantine, name="quarantine"),
    path(
        "data/deliveries/<str:delivery_id>/quarantine.csv",
        views.quarantine_file,
        name="quarantine-file",
    ),
    path("rules/", views.rules, name="rules"),
    path("rules/<str:rule_id>/", views.rule, name="rule"),
    path("facts/", views.facts, name="facts"),
    path("type-size/", views.type_size, name="type-size"),
]
