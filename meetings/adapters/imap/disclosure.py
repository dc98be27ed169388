"""What people read and accept before they connect a mailbox by IMAP and SMTP."""

from meetings.domain.disclosure import Disclosure

DISCLOSURE = Disclosure(
    version="imap-2026-11",
    title="Connect your mailbox",
    body_markdown=(
        "If you go on, this product may send mails in your name and read your mailbox. It sends what you write to "
        "contacts and what your sequences say; a copy is among your sent mails.\n\n"
        "It looks for answers to these mails and logs them with the contact. Nothing else of your "
        "mailbox is kept. Your password is kept encrypted, because each connection to your server needs it."
    ),
    notes=(
        "Connect your own mailbox, not one that several people share.",
        "If your provider asks for a code when you sign in, it needs a password made for this product.",
        "Google, Office 365 and Exchange mailboxes work better when they are connected as such.",
    ),
)
