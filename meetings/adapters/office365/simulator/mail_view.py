"""How mails and folders look in Graph's answers, and the pages of `messages/delta`.

Source: message and mailFolder resources, "message: delta", "Get incremental changes to messages in a folder". What was
only read or flagged since is told with a few members (microsoft-graph-docs, issue 7776). Parameters of a first request
are in the links that follow it.
"""

import base64
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from meetings.adapters.office365.simulator import errors
from meetings.adapters.office365.simulator.bodies import kept_body, plain_text, preview
from meetings.adapters.office365.simulator.errors import GraphError, Json
from meetings.adapters.office365.simulator.mail_content import HEADER_SET
from meetings.adapters.office365.simulator.mailbox import Mailbox, MailFolder, StoredMail
from meetings.adapters.office365.simulator.odata import Prefer, expanded, property_id, selected
from meetings.adapters.office365.simulator.times import stamp
from meetings.adapters.office365.simulator.view import told_id

_SINCE = re.compile(r"receivedDateTime\s+(?P<how>ge|gt)\s+(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", re.IGNORECASE)


def mail_json(mail: StoredMail, prefer: Prefer, select: str | None, expand: str | None) -> Json:
    """`internetMessageHeaders` only when selected, and only of what came from outside (microsoft-graph-docs, issue
    18761)."""
    content = mail.content
    sender = content.people["from"][0] if content.people["from"] else None
    seen: Json = {
        "@odata.etag": f'W/"CQAAABYAAAC{mail.changed}"',
        "id": told_id(mail.id, prefer),
        "createdDateTime": stamp(mail.received_at),
        "lastModifiedDateTime": stamp(mail.received_at),
        "changeKey": f"CQAAABYAAAC{mail.changed}",
        "categories": [],
        "receivedDateTime": stamp(mail.received_at),
        "sentDateTime": stamp(mail.sent_at),
        "hasAttachments": content.has_attachments,
        "internetMessageId": mail.message_id,
        "subject": content.subject,
        "bodyPreview": preview(content.body["content"]),
        "importance": "normal",
        "parentFolderId": mail.folder,
        "conversationId": mail.conversation_id,
        "isRead": mail.read,
        "isDraft": mail.draft,
        "body": _body(content.body, prefer),
        "sender": sender,
        "from": sender,
        "toRecipients": content.people["toRecipients"],
        "ccRecipients": content.people["ccRecipients"],
        "bccRecipients": content.people["bccRecipients"],
        "replyTo": [],
    }
    if mail.arrived and "internetMessageHeaders" in (select or ""):
        seen["internetMessageHeaders"] = [{"name": name, "value": value} for name, value in content.headers]
    values = [
        {"id": each, "value": mail.extended[_key(each)]} for each in expanded(expand) if _key(each) in mail.extended
    ]
    return selected({**seen, **({"singleValueExtendedProperties": values} if values else {})}, select)


def has_property(mail: StoredMail, name: str, value: str) -> bool:
    return mail.extended.get(_key(name)) == value


def folder_json(mailbox: Mailbox, folder: MailFolder, select: str | None) -> Json:
    inside = mailbox.in_folder(folder.id)
    about: Json = {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent,
        "childFolderCount": sum(each.parent == folder.id for each in mailbox.folders.values()),
        "unreadItemCount": sum(not mail.read for mail in inside),
        "totalItemCount": len(inside),
        "isHidden": folder.hidden,
    }
    return selected(about, select)


@dataclass(frozen=True)
class DeltaState:
    """What a token stands for. `since` is None in the first round; `after` is the position of the last mail told."""

    email: str
    folder: str
    epoch: int
    since: int | None
    snapshot: int
    received: str | None
    select: str | None
    expand: str | None
    after: int = 0

    def to_token(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")


def first_state(mailbox: Mailbox, folder: str, query: dict[str, str]) -> DeltaState:
    """Raises GraphError 400 for a filter that delta does not take."""
    received = query.get("$filter")
    if received and not _SINCE.fullmatch(received.strip()):
        words = "The '$filter' parameter value is not supported for 'Messages' resource; only a value of"
        raise GraphError(400, "ErrorInvalidUrlQuery", f"{words} 'receivedDateTime ge value' is supported.")
    expanded(query.get("$expand"))
    return DeltaState(
        mailbox.email,
        folder,
        mailbox.sync_epoch,
        None,
        mailbox.change,
        received,
        query.get("$select"),
        query.get("$expand"),
    )


def read_token(token: str, mailbox: Mailbox, folder: str) -> DeltaState:
    """Raises GraphError 400 for text that is no token of this folder, 410 for one that is dead."""
    try:
        state = DeltaState(**json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))
    except (ValueError, TypeError):
        raise errors.sync_state_unreadable() from None
    if (state.email, state.folder) != (mailbox.email, folder):
        raise errors.sync_state_unreadable()
    if state.epoch != mailbox.sync_epoch:
        raise errors.sync_state_gone()
    return state


def next_round(mailbox: Mailbox, state: DeltaState) -> DeltaState:
    return replace(state, since=state.snapshot, snapshot=mailbox.change, after=0)


def delta_page(mailbox: Mailbox, state: DeltaState, size: int, prefer: Prefer) -> tuple[list[Json], str, bool]:
    """Entries, the token for what follows, and whether the round is over.

    The last token stands for the moment before the round's first page, so a change between two pages comes with the
    next round (assumed: it may come twice, never not at all).
    """
    here = sorted(mailbox.in_folder(state.folder), key=lambda mail: mail.position)
    wanted = [mail for mail in here if _passes(mail, state) and mail.position > state.after]
    told = [_entry(mail, state, prefer) for mail in wanted[:size]]
    if len(wanted) > size:
        return told, replace(state, after=wanted[size - 1].position).to_token(), False
    told += [_removed(id, prefer) for id in _gone(mailbox, state)]
    return told, state.to_token(), True


def _entry(mail: StoredMail, state: DeltaState, prefer: Prefer) -> Json:
    whole = mail_json(mail, prefer, state.select, state.expand)
    if state.since is not None and mail.entered <= state.since:
        whole = {
            "id": whole["id"],
            "@odata.etag": whole["@odata.etag"],
            "isRead": mail.read,
            "parentFolderId": mail.folder,
        }
    return {"@odata.type": "#microsoft.graph.message", **whole}


def _removed(id: str, prefer: Prefer) -> Json:
    return {"@odata.type": "#microsoft.graph.message", "id": told_id(id, prefer), "@removed": {"reason": "deleted"}}


def _gone(mailbox: Mailbox, state: DeltaState) -> list[str]:
    if state.since is None:
        return []
    return [id for (folder, id), change in mailbox.gone.items() if folder == state.folder and change > state.since]


def _passes(mail: StoredMail, state: DeltaState) -> bool:
    if state.since is not None and mail.changed <= state.since:
        return False
    if state.received is None:
        return True
    found = _SINCE.fullmatch(state.received.strip())
    assert found is not None
    at = datetime.fromisoformat(found["at"])
    return mail.received_at >= at if found["how"].lower() == "ge" else mail.received_at > at


def _body(kept: Json, prefer: Prefer) -> Json:
    """In the kind it came in unless another is preferred."""
    if prefer.body_type == "text":
        text = plain_text(kept["content"]) if kept["contentType"] == "html" else kept["content"]
        return {"contentType": "text", "content": text}
    return kept_body(kept)


def _key(name: str) -> str:
    """The names of headers are compared without letter case, those of other sets with it."""
    key = property_id(name)
    return key.lower() if HEADER_SET in key else key
