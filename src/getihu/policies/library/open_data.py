"""The library as open data: JSON-LD in the words of CPSV-AP 3.2 (Core Public Service Vocabulary).

A policy is a ``cpsv:PublicService``; its conditions are requirements (CCCEV), what it gives is an
output, its document a legal resource (ELI), its issuers public organisations. Checked in the tests
against SHACL shapes of the profile's mandatory properties.
"""

from collections.abc import Sequence
from typing import Any, Final

from getihu.policies.library.reading import Condition, Reading

CONTEXT: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "cccev": "http://data.europa.eu/m8g/",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_COUNTRY: Final = "http://publications.europa.eu/resource/authority/country/CHN"


def describe(reading: Reading, *, page: str) -> dict[str, Any]:
    """One policy as a JSON-LD document. ``page`` is the address of its page."""
    return {"@context": CONTEXT, "@graph": [_service(reading, page)]}


def describe_all(readings: Sequence[tuple[Reading, str]], *, page: str) -> dict[str, Any]:
    """The whole library: a catalogue and every policy with the address of its page."""
    catalogue = {
        "@id": page,
        "@type": "dcat:Catalog",
        "dct:title": _zh("个体工商户政策库"),
        "dct:description": _zh("每条政策的依据、对象、条件、有效期和解读，由可以执行的规则生成。"),
        "dct:hasPart": [{"@id": address} for _, address in readings],
    }
    services = [_service(reading, address) for reading, address in readings]
    return {"@context": CONTEXT, "@graph": [catalogue, *services]}


def _service(reading: Reading, page: str) -> dict[str, Any]:
    end = {"dct:valid": _date(reading.last_day.isoformat())} if reading.last_day else {}
    replaced = {"dct:isReplacedBy": reading.replaced_by} if reading.replaced_by else {}
    return {
        "@id": page,
        "@type": "cpsv:PublicService",
        "dct:identifier": f"{reading.id}@{reading.version}",
        "dct:title": _zh(reading.title),
        "dct:description": _zh(reading.gives or reading.title),
        "dct:type": _zh(reading.kind) if reading.kind else [],
        "dct:language": {"@id": f"{_LANGUAGE}ZHO"},
        "dct:issued": _date(reading.first_day.isoformat()),
        **end,
        **replaced,
        "adms:status": _zh(reading.state_label),
        "dct:spatial": _place(reading),
        "cv:hasCompetentAuthority": [
            _organisation(page, number, name, reading)
            for number, name in enumerate(
                reading.document.issued_by or (reading.document.agencies,), start=1
            )
        ],
        "cv:hasLegalResource": _legal(reading, page),
        "cpsv:produces": {
            "@id": f"{page}#output",
            "@type": "cv:Output",
            "dct:identifier": f"{reading.id}#output",
            "dct:title": _zh(reading.kind or reading.title),
            "dct:description": _zh(reading.gives or reading.title),
        },
        "cv:holdsRequirement": [
            {
                "@id": f"{page}#requirement-{number}",
                "@type": "cccev:Requirement",
                "dct:identifier": f"{reading.id}#{number}",
                "dct:title": _zh(each.text),
                "dct:description": _zh(each.means or each.text),
                "dct:source": each.article,
            }
            for number, each in enumerate(_leaves(reading), start=1)
        ],
    }


_LANGUAGE: Final = "http://publications.europa.eu/resource/authority/language/"


def _organisation(page: str, number: int, name: str, reading: Reading) -> dict[str, Any]:
    return {
        "@id": f"{page}#authority-{number}",
        "@type": "cv:PublicOrganisation",
        "dct:identifier": name,
        "skos:prefLabel": _zh(name),
        "dct:spatial": _place(reading),
    }


def _place(reading: Reading) -> dict[str, Any]:
    """The division by its code of GB/T 2260."""
    if reading.region == "CN":
        return {"@id": _COUNTRY, "@type": "dct:Location", "skos:prefLabel": _zh("中国")}
    return {
        "@id": f"urn:gbt2260:{reading.region}",
        "@type": "dct:Location",
        "skos:prefLabel": _zh(reading.region_name),
    }


def _legal(reading: Reading, page: str) -> dict[str, Any]:
    seen = {"dct:source": {"@id": reading.url}} if reading.url else {}
    signed = reading.document.signed_on
    dated = {"eli:date_document": _date(signed.isoformat())} if signed else {}
    return {
        "@id": f"{page}#law",
        "@type": "eli:LegalResource",
        "dct:identifier": reading.document.document,
        "dct:title": _zh(reading.document_title or reading.document.document),
        **dated,
        **seen,
    }


def _leaves(reading: Reading) -> list[Condition]:
    trees = [reading.conditions, *(outcome.when for outcome in reading.outcomes)]
    found: dict[str, Condition] = {}
    waiting = [tree for tree in trees if tree is not None]
    while waiting:
        each = waiting.pop(0)
        if each.items:
            waiting = [*each.items, *waiting]
        else:
            found.setdefault(each.text, each)
    return list(found.values())


def _zh(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "zh"}


def _date(day: str) -> dict[str, str]:
    return {"@value": day, "@type": "xsd:date"}
