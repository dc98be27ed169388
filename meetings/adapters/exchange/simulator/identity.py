"""Ids and people as elements ("ItemId", "FolderId", "Mailbox"), and what may be done in a folder."""

from meetings.adapters.exchange.simulator.ids import Key, change_key
from meetings.adapters.exchange.simulator.soap import Element, t, truth
from meetings.adapters.exchange.simulator.world import RIGHTS, CalendarItem, Folder, Person


def item_id(folder: Folder, item: CalendarItem, tag: str = "ItemId") -> Element:
    whole = item if item.master is None else item.master
    key = Key("I", folder.mailbox.guid, whole.number, item.original if item.master is not None else None)
    return t(tag, Id=key.to_text(), ChangeKey=change_key("I", item.version))


def folder_id(folder: Folder, tag: str = "FolderId") -> Element:
    return t(tag, Id=folder.id, ChangeKey=folder.change_key)


def mailbox(person: Person, tag: str = "Mailbox") -> Element:
    return t(tag, t("Name", person.name), t("EmailAddress", person.email), t("RoutingType", "SMTP"))


def effective_rights(folder: Folder) -> Element:
    """What the caller may do here ("EffectiveRights")."""
    level = RIGHTS.index(folder.rights)
    owns, writes, reads = (level >= RIGHTS.index(name) for name in ("owner", "writer", "reader"))
    allowed = {
        "CreateAssociated": owns,
        "CreateContents": writes,
        "CreateHierarchy": owns,
        "Delete": writes,
        "Modify": writes,
        "Read": reads,
    }
    return t("EffectiveRights", *(t(name, truth(value)) for name, value in allowed.items()))
