"""Kinds of help for traders: a list found by a word, and a page for each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.portal.views import page
from getihu.support.selectors import helping

LONGEST = 40


@require_GET
@page
def help_list(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("text", "").strip()[:LONGEST]
    context = {"kinds": helping.list_help(text), "text": text}
    return render(request, "portal/help/list.html", context)


@require_GET
@page
def help_kind(request: HttpRequest, kind_id: str) -> HttpResponse:
    return render(request, "portal/help/kind.html", {"kind": helping.get_help(kind_id)})
