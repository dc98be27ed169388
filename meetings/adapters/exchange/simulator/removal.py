"""Taking an item, a series or one occurrence away."""

from meetings.adapters.exchange.simulator import invitations
from meetings.adapters.exchange.simulator.world import CalendarItem, Folder, World


def remove(world: World, folder: Folder, item: CalendarItem, *, keep: bool, tell: bool) -> None:
    """With `keep` it moves to Deleted Items, under another id; what lies there already is gone for good.

    With `tell` the organizer's guests hear of it; a guest's own removal is a silent one. A deleted occurrence is
    noted in its series and moves nowhere ("DeletedOccurrences").
    """
    told = tell and item.response == "Organizer" and bool(item.attendees)
    if item.master is not None and item.original is not None:
        series = item.master
        series.deleted.add(item.original)
        series.exceptions.pop(item.original, None)
        world.touch(folder, series)
        if told:
            invitations.cancel(world, folder, item)
        return
    if told:
        invitations.cancel(world, folder, item)
    bin_ = folder.mailbox.distinguished("deleteditems")
    world.remove(folder, item, to=bin_ if keep and folder is not bin_ else None)
