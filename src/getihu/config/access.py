"""What the access policy asks the layers above it."""

from getihu.registry import selectors as registry


def division_of(trader_code: str) -> str | None:
    """Where a trader is registered: its town, or its county where the town is unknown.

    Raises a GetihuError for an unknown trader, or before anything is published.
    """
    trader = registry.get_trader(trader_code)
    return trader.town_code or trader.county_code
