"""What people read and accept before they connect a mailbox on an Exchange server (S23, S31, S33, S81, S82, S92)."""

from meetings.domain.disclosure import Disclosure

DISCLOSURE = Disclosure(
    version="exchange-2026-11",
    title="Connect your Exchange calendar",
    body_markdown=(
        "If you go on, this product signs in to your mailbox with the password you give it, and keeps that password "
        "encrypted until you disconnect. It reads when the calendars of your mailbox are busy, to run your "
        "scheduling pages.\n\n"
        "Meetings booked on your scheduling pages are written to your calendar, and your server invites the guests. "
        "This product creates, changes and deletes these events only. It keeps a copy of when your selected "
        "calendars are busy, without titles or guests."
    ),
    notes=(
        "Your server must run Exchange 2010 SP2 or later. If you are not sure, ask your IT department first.",
        "This is for servers of your own. With Exchange Online, choose Office 365 instead.",
        "If you sign in with two factors, enter an app password instead of your usual password.",
        "Only personal mailboxes can be connected, no shared ones and no rooms. For a team's mail, use a hosted "
        "address.",
        "Your IT department may have to let this product's network addresses through the firewall.",
        "Meetings cannot be cancelled or moved here, neither by you nor by your guests. Do it in your calendar.",
        "Events in your calendar and meetings of your CRM are not synchronized in either direction.",
        "Meetings you create on a CRM record are not added to your Exchange calendar.",
        "Meetings you create in your Exchange calendar do not appear in the CRM; the time they take is busy here.",
        "Clickable times cannot be inserted into e-mails. Links to your scheduling pages can.",
        "An admin of your account can lift the limits on moving meetings and on synchronizing. Then events with "
        "contacts are put on their records: title, text, place and time; private ones are not.",
    ),
)

INBOX_DISCLOSURE = Disclosure(
    version="exchange-inbox-2026-11",
    title="Connect your Exchange mailbox",
    body_markdown=(
        "If you go on, this product signs in to your mailbox with the password you give it, and keeps that password "
        "encrypted until you disconnect. It sends what you write to contacts of your CRM and the sequences you enrol "
        "them in, as you; copies are among your sent mails.\n\n"
        "It looks through the headers of new mails for replies. It keeps the text of mails that belong to a "
        "conversation with a contact, and nothing else of your mailbox. Drafts, junk and deleted mails are left out."
    ),
    notes=(
        "Your server must run Exchange 2010 SP2 or later. If you are not sure, ask your IT department first.",
        "This is for servers of your own. With Exchange Online, choose Office 365 instead.",
        "If you sign in with two factors, enter an app password instead of your usual password.",
        "Only personal mailboxes can be connected, no shared ones and no rooms. For a team's mail, use a hosted "
        "address.",
        "Your IT department may have to let this product's network addresses through the firewall.",
        "Clickable times cannot be inserted into e-mails. Links to your scheduling pages can.",
    ),
)
