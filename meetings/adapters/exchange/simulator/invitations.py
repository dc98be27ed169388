"""What happens to the people of a meeting: copies in their calendars, answers, and mails.

Source: "Calendars and EWS in Exchange", "Create appointments and meetings", MS-OXWSMTGS: invitations go out only when
the request says so; a guest with a mailbox here finds the meeting in the calendar as tentative without an answer (the
calendar attendant puts it there, MS-OXOCAL 3.1.4.7); an answer comes back to the organizer's item. Extended properties
stay on the copy they were written to (assumed).
"""

import copy

from meetings.adapters.exchange.simulator.soap import t
from meetings.adapters.exchange.simulator.world import Account, CalendarItem, Folder, Mail, World

RESPONSES = {"Accept": "Busy", "Tentative": "Tentative", "Decline": "Free"}


def send(world: World, folder: Folder, before: CalendarItem | None, item: CalendarItem, *, changed_only: bool) -> None:
    """Mail the guests what changed, and make their copies agree. `before` is the item as it was, None for a new one."""
    whole = item if item.master is None else item.master
    was = _guests(before)
    now = _guests(item)
    told = {"invitation": now - was, "update": now & was, "cancellation": was - now}
    if changed_only:
        told["update"] = set()
    for kind, guests in told.items():
        for email in sorted(guests):
            world.mails.append(_mail(email, kind, item))
    item.invitations_sent = whole.invitations_sent = bool(now) or item.invitations_sent
    if item is whole:
        _mark_as_cancelled(world, folder, item, was - now)
    spread(world, folder, whole)


def cancel(world: World, folder: Folder, item: CalendarItem) -> None:
    """Tell everybody that the meeting, or this occurrence, is off; their copies are marked as cancelled.

    An occurrence has to be noted as deleted in its series before.
    """
    guests = _guests(item)
    for email in sorted(guests):
        world.mails.append(_mail(email, "cancellation", item))
    if item.master is not None:
        spread(world, folder, item.master)
    else:
        _mark_as_cancelled(world, folder, item, guests)


def spread(world: World, folder: Folder, item: CalendarItem) -> None:
    """Guests with a mailbox here get the meeting, or see what changed."""
    for attendee in item.attendees:
        account = world.account(attendee.person.email)
        if account is None or account is folder.mailbox or not account.has_mailbox:
            continue
        calendar = _calendar(account)
        held = _held(calendar, item.uid)
        fresh = _guest_copy(item)
        if held is None:
            fresh.number = world.new_number()
            world.put(calendar, fresh)
            continue
        fresh.number, fresh.created_change, fresh.extended = held.number, held.created_change, held.extended
        if (held.start, held.end) == (fresh.start, fresh.end):
            # Another time asks for another answer (MS-OXOCAL 3.1.4.7.2: a full update resets the response).
            fresh.response = held.response
            fresh.elements["LegacyFreeBusyStatus"] = held.elements["LegacyFreeBusyStatus"]
        calendar.items[held.number] = fresh
        world.touch(calendar, fresh)


def respond(world: World, folder: Folder, item: CalendarItem, response: str) -> None:
    """The guest answers: Accept, Tentative or Decline. The organizer's item learns of it, and gets a mail."""
    item.response = response
    item.elements["LegacyFreeBusyStatus"] = t("LegacyFreeBusyStatus", RESPONSES[response])
    world.touch(folder, item)
    own = folder.mailbox.email
    world.mails.append(Mail(item.organizer.email, f"response: {response}", own, item.uid, item.value("Subject"), 0))
    organizer = world.account(item.organizer.email)
    leading = _held(_calendar(organizer), item.uid) if organizer is not None else None
    if organizer is None or leading is None:
        return
    for attendee in leading.attendees:
        if attendee.person.email.lower() == own.lower():
            attendee.response, attendee.replied_at = response, world.now()
    world.touch(_calendar(organizer), leading)


def _guest_copy(item: CalendarItem) -> CalendarItem:
    copied = copy.deepcopy(item)
    copied.response = "NoResponseReceived"
    copied.extended = {}
    copied.elements["LegacyFreeBusyStatus"] = t("LegacyFreeBusyStatus", "Tentative")
    for exception in copied.exceptions.values():
        exception.response, exception.extended = "NoResponseReceived", {}
        exception.elements["LegacyFreeBusyStatus"] = t("LegacyFreeBusyStatus", "Tentative")
    return copied


def _mark_as_cancelled(world: World, folder: Folder, item: CalendarItem, guests: set[str]) -> None:
    for email in guests:
        account = world.account(email)
        held = _held(_calendar(account), item.uid) if account is not None and account is not folder.mailbox else None
        if account is not None and held is not None:
            held.cancelled = True
            held.elements["Subject"] = t("Subject", f"Canceled: {item.value('Subject')}")
            held.elements["LegacyFreeBusyStatus"] = t("LegacyFreeBusyStatus", "Free")
            world.touch(_calendar(account), held)


def _held(calendar: Folder, uid: str) -> CalendarItem | None:
    return next((item for item in calendar.items.values() if item.uid == uid), None)


def _calendar(account: Account) -> Folder:
    calendar = account.distinguished("calendar")
    assert calendar is not None
    return calendar


def _guests(item: CalendarItem | None) -> set[str]:
    if item is None or not item.attendees:
        return set()
    own = item.organizer.email.lower()
    return {each.person.email for each in item.attendees if each.person.email.lower() != own}


def _mail(to: str, kind: str, item: CalendarItem) -> Mail:
    return Mail(to, kind, item.organizer.email, item.uid, item.value("Subject"), item.sequence)
