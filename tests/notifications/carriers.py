"""Carriers for tests: what they were given, and failures on command."""

from getihu.notifications.ports import Outgoing, PermanentFailure, TemporaryFailure

handed: list[Outgoing] = []


class Good:
    name = "good"

    def send(self, message: Outgoing) -> str:
        handed.append(message)
        return f"n{len(handed)}"


class Down:
    name = "down"

    def send(self, message: Outgoing) -> str:
        raise TemporaryFailure


class Refusing:
    name = "refusing"

    def send(self, message: Outgoing) -> str:
        raise PermanentFailure


truth = {"holds": True}


def still_holds(argument: str) -> bool:
    return truth.get(argument, True)
