"""Answers that are not what was promised."""

from collections.abc import Callable
from typing import Any, TypeVar

from meetings.application.ports.calendars import ProviderUnavailable

T = TypeVar("T")


def items_of(page: Any) -> list[Any]:
    """The entries of a page of a collection; each has an id."""
    items = page.get("value")
    if not isinstance(items, list) or not all(isinstance(item, dict) and _named(item) for item in items):
        raise ProviderUnavailable("a page of Microsoft without its entries")
    return items


def _named(item: dict[str, Any]) -> bool:
    return isinstance(item.get("id"), str) and item["id"] != ""


def read(parse: Callable[[], T]) -> T:
    """What `parse` makes of an answer. One that lacks what Graph promises cannot be read, which is no mistake of ours.

    Raises:
        ProviderUnavailable: so it is.
    """
    try:
        return parse()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise ProviderUnavailable(f"an answer of Microsoft that cannot be read ({type(error).__name__})") from None
