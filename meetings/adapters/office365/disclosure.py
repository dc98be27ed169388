"""What a person must read and accept before an Office 365 calendar or mailbox is connected (S13, S16, A-CC2, A-CC4,
A-CC5)."""

from meetings.domain.disclosure import Disclosure

HELP_URL = "https://support.microsoft.com/en-us/outlook/working-with-multiple-calendars-in-outlook-on-the-web"
"""Microsoft's page on making further calendars and opening those of others (S58)."""

DISCLOSURE = Disclosure(
    version="office365-2026-11",
    title="Connect your Office 365 calendar",
    body_markdown=(
        "If you go on, this product gets access to your Office 365 calendar and to every calendar you can reach "
        "through Outlook. It uses them to run your scheduling pages and to link events with contacts of your CRM.\n\n"
        "This product may create and change calendars, and create, change and delete single events in them. It keeps a "
        "copy of when your selected calendars are busy, without titles or guests.\n\n"
        "While calendar sync is on, events of your primary calendar with contacts of your CRM are put on their "
        "records: title, text, place and time. Private events are left alone. You can switch it off in your settings."
    ),
    notes=(
        "Use your own account: a mailbox that is connected as a shared team inbox cannot be used as a calendar.",
        "Check which Microsoft account you are signed in with before you go on.",
        "One account can be connected at a time. It needs a mailbox in the cloud: one that is kept on a server of your "
        "organisation is connected as an Exchange calendar instead.",
        "Some organisations allow apps only after an administrator approved them. If Microsoft says so, ask yours, and "
        "come back here afterwards.",
    ),
)

INBOX_DISCLOSURE = Disclosure(
    version="office365-inbox-2026-11",
    title="Connect your Office 365 mailbox",
    body_markdown=(
        "If you go on, this product may send mail as you, and read your mailbox. It sends what you write to contacts "
        "of your CRM and the sequences you enrol them in; copies are among your sent mails.\n\n"
        "It looks through the headers of new mails for replies. It keeps the text of mails that belong to a "
        "conversation with a contact, and nothing else of your mailbox. Drafts, junk and deleted mails are left out."
    ),
    notes=(
        "Use your own account: a shared mailbox belongs to a team, not to one person.",
        "Check which Microsoft account you are signed in with before you go on.",
        "Microsoft limits how much one mailbox may send in a day.",
    ),
)
