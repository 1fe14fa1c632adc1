"""The documents of GeoReport v2, in JSON and XML."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from getihu.support.contracts import PublicAppeal
from getihu.support.selectors import Subject

JURISDICTION = "wenzhou"


def service(subject: Subject, group: str) -> dict[str, Any]:
    return {
        "service_code": subject.id,
        "service_name": subject.title,
        "description": f"{group}：{subject.title}",
        "metadata": False,
        "type": "realtime",
        "keywords": ",".join(subject.words),
        "group": group,
    }


def request(appeal: PublicAppeal) -> dict[str, Any]:
    """One request. No position is known of an address in words: ``lat`` and ``long`` are null."""
    return {
        "service_request_id": appeal.number,
        "status": "open" if appeal.is_open else "closed",
        "status_notes": appeal.state_label,
        "service_name": appeal.subject_title,
        "service_code": appeal.subject,
        "description": "",
        "agency_responsible": appeal.office_name,
        "service_notice": "",
        "requested_datetime": _moment(appeal.received_at),
        "updated_datetime": _moment(appeal.updated_at),
        "expected_datetime": appeal.due_on.isoformat() if appeal.due_on else None,
        "address": appeal.place_name,
        "address_id": appeal.place,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def _moment(at: Any) -> str:
    return str(at.isoformat(timespec="seconds"))


def as_json(documents: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(documents), ensure_ascii=False)


def as_xml(documents: Sequence[Mapping[str, Any]], root: str, item: str) -> str:
    """The same documents as XML; null is an empty element."""
    whole = ElementTree.Element(root)
    for document in documents:
        one = ElementTree.SubElement(whole, item)
        for name, value in document.items():
            ElementTree.SubElement(one, name).text = _text(value)
    return '<?xml version="1.0" encoding="utf-8"?>' + ElementTree.tostring(whole, "unicode")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
