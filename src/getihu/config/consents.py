"""Which consent a rule asks before it may use what the law protects.

Types, pools and conflicts look at everyone without being asked, so they use those facts only with
the operator's consent to be profiled. Policies look when somebody is told, paid or asks; there
consent is asked at that door (policies/services).
"""

from collections.abc import Collection, Mapping
from typing import Final

from getihu.registry import selectors as registry
from getihu.registry.contracts import Purpose

PURPOSES: Final = {"growth.": Purpose.PROFILE}


def purpose_of(rule_id: str) -> Purpose | None:
    return next((p for start, p in PURPOSES.items() if rule_id.startswith(start)), None)


class RegistryConsents:
    """The consents kept in the registry; a city's are read once for each purpose."""

    def __init__(self) -> None:
        self._city: dict[Purpose, Mapping[str, Collection[str]]] = {}

    def of(self, trader_code: str, rule_id: str) -> Collection[str] | None:
        purpose = purpose_of(rule_id)
        if purpose is None:
            return None
        return registry.consents_given([trader_code], purpose).get(trader_code, set())

    def of_city(self, rule_id: str) -> Mapping[str, Collection[str]] | None:
        purpose = purpose_of(rule_id)
        if purpose is None:
            return None
        if purpose not in self._city:
            self._city[purpose] = registry.consents_of_city(purpose)
        return self._city[purpose]
