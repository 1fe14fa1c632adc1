"""What the owner of a trader sees about looking."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from getihu.access import selectors


@never_cache
def who_looked(request: HttpRequest) -> HttpResponse:
    looks = selectors.list_looks(request.actor)  # type: ignore[attr-defined]
    return render(request, "access/who_looked.html", {"looks": looks})
