"""What the rulebook asks from outside: which facts a rule may use of whom."""

from collections.abc import Collection, Mapping
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Consents(Protocol):
    """Who consented to what. None of both: the rule's purpose asks no consent beforehand."""

    def of(self, trader_code: str, rule_id: str) -> Collection[str] | None:
        """The articles under which the operator consents to what a rule is for."""

    def of_city(self, rule_id: str) -> Mapping[str, Collection[str]] | None:
        """Article → codes of all who consent under it to what a rule is for."""

    def stamp(self, rule_id: str) -> str | None:
        """A word that changes whenever what ``of_city`` gives does; quick to ask."""


class NothingAsked:
    """No rule asks for consent beforehand: an installation that turned it off, or a test."""

    def of(self, trader_code: str, rule_id: str) -> Collection[str] | None:
        return None

    def of_city(self, rule_id: str) -> Mapping[str, Collection[str]] | None:
        return None

    def stamp(self, rule_id: str) -> str | None:
        return None


def consents() -> Consents:
    """The consents this installation names."""
    if not settings.RULE_CONSENTS:
        return NothingAsked()
    found: Consents = import_string(settings.RULE_CONSENTS)()
    return found
