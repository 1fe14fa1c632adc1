"""The networks of credit repair over files in a folder, or over HTTP; either passes the same contract.

Neither network publishes its interface; these forms are 本项目设定，非官方: a city fills in its own.
"""

import hashlib
import hmac
import json
import os
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from getihu.supervision.ports import (
    Network,
    NetworkRefused,
    NetworkUnreachable,
    RepairAnswer,
    RepairNetwork,
    RepairRequest,
    RepairState,
)

TIMEOUT_SECONDS = 30.0


def from_settings(network: Network) -> RepairNetwork:
    """HTTP when the network's address is configured, else files."""
    http = settings.REPAIR_HTTP[network.value]
    if http["url"]:
        return HttpNetwork(http["url"], http["key_id"], http["secret"])
    return FolderNetwork(Path(settings.REPAIR_FOLDER) / network.value)


class FolderNetwork:
    """Applications as ``out/<number>.json``, answers as ``in/<number>.json``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def apply(self, request: RepairRequest) -> None:
        target, content = self.folder / "out" / f"{request.number}.json", body_of(request)
        try:
            if target.exists():
                if target.read_bytes() != content:
                    raise NetworkRefused("同一编号已经送过不同的申请。")
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            with unfinished.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except OSError as error:
            raise NetworkUnreachable(f"写不了修复申请：{error.strerror}。") from error

    def answer(self, number: str) -> RepairAnswer | None:
        path = self.folder / "in" / f"{number}.json"
        try:
            return read_answer(json.loads(path.read_text("utf-8"))) if path.exists() else None
        except (OSError, ValueError) as error:
            raise NetworkUnreachable(f"读不了回执 {path.name}。") from error


class HttpNetwork:
    """Applications and answers as JSON, signed with HMAC-SHA256 over method, path and body."""

    def __init__(self, url: str, key_id: str, secret: str) -> None:
        self._url, self._key_id, self._secret = url.rstrip("/"), key_id, secret.encode()

    def apply(self, request: RepairRequest) -> None:
        self._ask("PUT", f"/applications/{request.number}", body_of(request))

    def answer(self, number: str) -> RepairAnswer | None:
        told = self._ask("GET", f"/applications/{number}")
        return None if told is None else read_answer(told)

    def _ask(self, method: str, path: str, content: bytes = b"") -> Any:
        signed = f"{method}\n{path}\n".encode() + hashlib.sha256(content).hexdigest().encode()
        headers = {
            "Content-Type": "application/json",
            "X-Key": self._key_id,
            "X-Signature": hmac.new(self._secret, signed, "sha256").hexdigest(),
        }
        try:
            answer = requests.request(
                method, self._url + path, data=content, headers=headers, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code in (409, 422):
                raise NetworkRefused(str(answer.json().get("why", "对方不收这份申请。")))
            if method == "GET" and answer.status_code == 404:
                return None
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError, AttributeError) as error:
            raise NetworkUnreachable("修复网没有回答，或者回答读不懂。") from error


def body_of(request: RepairRequest) -> bytes:
    """An application as it travels: the same application is the same bytes."""
    return json.dumps(asdict(request), ensure_ascii=False, sort_keys=True, default=str).encode()


def read_answer(told: Any) -> RepairAnswer:
    """Raises NetworkUnreachable."""
    try:
        return RepairAnswer(
            state=RepairState(told["state"]),
            receipt=str(told["receipt"]),
            on=date.fromisoformat(str(told["on"])),
            why=str(told.get("why") or ""),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise NetworkUnreachable("回执读不懂，没有采用。") from error
