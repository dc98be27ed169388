"""Calendar items, and the ids of things, as they look in an answer."""

import copy
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import item_fields, item_values
from meetings.adapters.exchange.simulator.item_values import Shown
from meetings.adapters.exchange.simulator.shapes import Shape
from meetings.adapters.exchange.simulator.soap import Element, t
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import CalendarItem, Folder


@dataclass(frozen=True)
class Reader:
    """How one request wants to see things: its shape, its zone, and whether it is a FindItem."""

    shape: Shape
    zone: ZoneInfo
    version: ServerVersion
    finding: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is shown of each item, in the order of the schema."""
        shown = (name for name in item_fields.ORDER if self.shape.shows(name, finding=self.finding))
        return tuple(name for name in shown if item_fields.is_known(name, self.version))


def calendar_item(folder: Folder, item: CalendarItem, reader: Reader) -> Element:
    """The CalendarItem element, its properties in the order of the schema."""
    made = t("CalendarItem")
    shown = Shown(folder, item, reader.zone, reader.version, reader.shape.body)
    for name in reader.names:
        if name == "ExtendedProperty":
            made.extend(copy.deepcopy(item.extended[key]) for key in reader.shape.extended if key in item.extended)
            continue
        value = item_values.value(name, shown)
        if value is not None:
            made.append(value)
    return made
