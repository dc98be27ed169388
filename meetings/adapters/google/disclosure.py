"""What people read and accept before they connect a Google calendar (S13, S21, S22)."""

from meetings.domain.disclosure import Disclosure

DISCLOSURE = Disclosure(
    version="google-2026-11",
    title="Connect your Google calendar",
    body_markdown=(
        "If you go on, this product gets access to your Google calendar and to every calendar you can reach "
        "through Google. It uses them to run your scheduling pages and to link events with contacts of your "
        "CRM.\n\n"
        "This product may create and change calendars, and create, change and delete single events in them. "
        "It keeps a copy of when your selected calendars are busy, without titles or guests.\n\n"
        "While calendar sync is on, events of your primary calendar with contacts of your CRM are put on their "
        "records: title, text, place and time. Private events are left alone. You can switch it off in your settings."
    ),
    notes=(
        "Use your own account: a mailbox that is connected as a shared team inbox cannot be used as a calendar.",
        "Check which Google account you are signed in with before you go on.",
        "Google Workspace and free Gmail accounts both work. One account can be connected at a time.",
        "Calendars of other people appear only if they are shared with all event details.",
    ),
)

MAIL_DISCLOSURE = Disclosure(
    version="google-mail-2026-11",
    title="Connect your Gmail mailbox",
    body_markdown=(
        "If you go on, this product may send mails in your name and read your mailbox. It sends what you write to "
        "contacts and what your sequences say; a copy is among your sent mails.\n\n"
        "It looks for answers to these mails and logs them with the contact. Nothing else of your mailbox is kept."
    ),
    notes=(
        "Connect your own mailbox, not one that several people share.",
        "Check which Google account you are signed in with before you go on.",
        "Your calendar and your mailbox can be connected and disconnected each by itself.",
        "Google limits how many mails an account may send in a day.",
    ),
)
