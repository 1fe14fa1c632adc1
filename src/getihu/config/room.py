"""Room on the disk: told before it is gone, and when it is gone nothing is begun.

Below a reserve every write is refused at the door, with a plain page that touches no database: what
is left is for the log, and for the looks that reading must record. Past it, whatever fails for want
of room is rolled back and answered in the same way. Nothing is remembered: with room again, the
next request is answered as ever.
"""

import logging
import shutil
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from getihu.kernel.room import is_passing
from getihu.portal import views

logger = logging.getLogger(__name__)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
WAYS_IN_AND_OUT = ("/sign-in", "/sign-out")  # reading needs them, and they write little
WHAT = "现在办不成"
WHY = "平台的存储空间不够，或者数据库暂时连不上。刚才的操作没有办，也没有办一半。"
WAY = "过几分钟再试一次，不用重新登录。"
RETRY_AFTER = "60"


class RoomState(StrEnum):
    WELL = "well"
    FILLING = "filling"
    FULL = "full"
    DOWN = "down"


@dataclass(frozen=True)
class Room:
    """What is left where the service writes: the fullest of its places."""

    free_bytes: int
    share_left: float

    @property
    def state(self) -> RoomState:
        if self.free_bytes < settings.ROOM["reserve_mb"] * 1024 * 1024:
            return RoomState.FULL
        is_low = self.share_left * 100 < settings.ROOM["warn_percent"]
        return RoomState.FILLING if is_low else RoomState.WELL


class RoomMiddleware:
    """Refuses to begin a write below the reserve; answers what failed for want of room."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        writes = request.method not in SAFE_METHODS and not request.path.startswith(WAYS_IN_AND_OUT)
        if writes and disk_room().state is RoomState.FULL:
            logger.error("no room: a write was refused at the door")
            return not_now(request)
        return self.get_response(request)


def disk_room() -> Room:
    """Of the disks with the data folder, the files and an embedded database."""
    places = {Path(settings.DATA_DIR), Path(settings.MEDIA_ROOT)}
    if connection.vendor == "sqlite" and Path(str(connection.settings_dict["NAME"])).is_file():
        places.add(Path(str(connection.settings_dict["NAME"])).parent)
    rooms = [_room_of(place) for place in places if place.is_dir()]
    return Room(
        min((room.free_bytes for room in rooms), default=0),
        min((room.share_left for room in rooms), default=0.0),
    )


def _room_of(place: Path) -> Room:
    usage = shutil.disk_usage(place)
    return Room(usage.free, usage.free / (usage.used + usage.free or 1))


def room() -> Room:
    """As ``disk_room``, and of the pages an embedded database may still take. The disk of a
    PostgreSQL elsewhere is seen only by its own operator. Raises what the database raises."""
    disk = disk_room()
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT 1")
            return disk
        size, used, most, free = (
            _pragma(cursor, name)
            for name in ("page_size", "page_count", "max_page_count", "freelist_count")
        )
    left = most - used + free
    return Room(min(disk.free_bytes, left * size), min(disk.share_left, left / most))


def _pragma(cursor: Any, name: str) -> int:
    cursor.execute(f"PRAGMA {name}")
    return int(cursor.fetchone()[0])


def health(request: HttpRequest) -> HttpResponse:
    """For whoever watches the machine: well, filling (below a fifth), full, or down; no numbers."""
    try:
        state = room().state
    except Exception as error:
        logger.error("health: %s", type(error).__name__)  # its text may name an address
        state = RoomState.DOWN
    is_up = state in (RoomState.WELL, RoomState.FILLING)
    answer = JsonResponse({"state": state}, status=200 if is_up else 503)
    answer["Cache-Control"] = "no-store"
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """What nobody caught: not now, when it is the room or the database; else ours to mend."""
    error = sys.exc_info()[1]
    if is_passing(error):
        reference = uuid.uuid4().hex[:8]
        logger.error("%s: not now, under reference %s", type(error).__name__, reference)
        return not_now(request)
    return views.server_error(request)


def not_now(request: HttpRequest) -> HttpResponse:
    """A plain page, or JSON below /api/, made without the database."""
    if request.path.startswith("/api/"):
        words = {"what": WHAT, "why": WHY, "next": WAY}
        answer: HttpResponse = JsonResponse(
            words, status=503, json_dumps_params={"ensure_ascii": False}
        )
    else:
        page = render_to_string("ui/not_now.html", {"what": WHAT, "why": WHY, "way": WAY})
        answer = HttpResponse(page, status=503)
    answer["Retry-After"] = RETRY_AFTER
    answer["Cache-Control"] = "no-store"
    return answer
