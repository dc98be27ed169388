"""Reading answers of Google that may not be what Google promises."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from meetings.application.ports.calendars import ProviderUnavailable

P = ParamSpec("P")
T = TypeVar("T")


def read(parse: Callable[P, T], *answer: P.args, **named: P.kwargs) -> T:
    """What `parse` makes of an answer. One that lacks what Google promises cannot be read, which is no mistake of ours.

    Raises:
        ProviderUnavailable: so it is.
    """
    try:
        return parse(*answer, **named)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise ProviderUnavailable(f"an answer of Google that cannot be read ({type(error).__name__})") from None
