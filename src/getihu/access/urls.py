"""Addresses about access itself."""

from django.urls import path

from getihu.access import views

app_name = "access"
urlpatterns = [path("mine/who-looked", views.who_looked, name="who-looked")]
