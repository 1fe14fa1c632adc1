"""Addresses of the pages. They carry codes and numbers, never names of people."""

from django.urls import path

from getihu.portal import views
from getihu.portal.views import policies

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
    path("rules/", policies.rules, name="rules"),
    path("rules/export.csv", policies.rules_file, name="rules-file"),
    path("rules/<str:rule_id>/", policies.rule, name="rule"),
    path("rules/<str:rule_id>/numbers.csv", policies.numbers_file, name="rule-file"),
    path("rules/<str:rule_id>/curves.json", policies.curves, name="curves"),
    path("rules/<str:rule_id>/what-if/", policies.what_if, name="what-if"),
    path("rules/<str:rule_id>/draft/", policies.draft, name="draft"),
    path("rules/<str:rule_id>/scenarios/", policies.keep, name="keep"),
    path("rules/<str:rule_id>/drift/<str:key>/", policies.drift, name="drift"),
    path("scenarios/", policies.scenarios, name="scenarios"),
    path("scenarios/<int:number>/", policies.scenario, name="scenario"),
    path("scenarios/<int:number>/remove/", policies.remove_scenario, name="remove-scenario"),
    path("facts/", views.facts, name="facts"),
    path("type-size/", views.type_size, name="type-size"),
]
