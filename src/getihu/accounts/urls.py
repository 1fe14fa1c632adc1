"""Addresses of signing in and out."""

from django.urls import path

from getihu.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-in/second-factor", views.enrol, name="enrol"),
    path("sign-in/oidc", views.oidc_start, name="oidc"),
    path("sign-in/oidc/back", views.oidc_back, name="oidc-back"),
    path("sign-in/province", views.province, name="province"),
    path("sign-in/code", views.code, name="code"),
    path("sign-in/as", views.sign_in_as, name="sign-in-as"),
    path("sign-out", views.sign_out, name="sign-out"),
]
