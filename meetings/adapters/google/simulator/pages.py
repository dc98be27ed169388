"""What a person watching sees: the accounts, and each calendar and mailbox as a plain list."""

import base64
import html
from datetime import timedelta

from meetings.adapters.google.simulator.errors import Json, not_found
from meetings.adapters.google.simulator.events import instance_fields
from meetings.adapters.google.simulator.recurrence import occurrences
from meetings.adapters.google.simulator.times import instant
from meetings.adapters.google.simulator.world import Account, Calendar, World
from meetings.application.mail_text import text_in

_SHOWN_MAILS = 50
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#202124}"
    "label{display:block;padding:.2rem 0}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dadce0;vertical-align:top}"
    "button{padding:.5rem 1.2rem;font:inherit}fieldset{border:1px solid #dadce0;margin:1rem 0}"
)


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{body}</html>"
    )


def index_page(world: World) -> str:
    rows = "".join(
        f'<li><a href="/calendar/u/{html.escape(account.email)}">{html.escape(account.name)}</a> '
        f"&lt;{html.escape(account.email)}&gt;, "
        f'<a href="/mail/u/{html.escape(account.email)}">mail</a></li>'
        for account in world.accounts.values()
    )
    return page("Google (simulated)", f"<h1>Google (simulated)</h1><ul>{rows}</ul>")


def account_page(world: World, account: Account) -> str:
    """The account's calendars with what is ahead in the next 60 days, and what was written in the last."""
    parts = [f"<h1>{html.escape(account.name)}</h1><p>{html.escape(account.email)}, simulated Google Calendar</p>"]
    for entry in account.entries.values():
        calendar = world.calendars[entry.calendar_id]
        role = calendar.access.get(account.email, "none")
        if entry.deleted or calendar.id in account.lost:
            parts.append(f"<h2>{html.escape(calendar.summary)}</h2><p>No access any more.</p>")
            continue
        parts.append(f"<h2>{html.escape(calendar.summary)}</h2><p>{role}, {calendar.time_zone}</p>")
        parts.append(_table(world, calendar))
    return page(f"{account.name} - Calendar", "".join(parts))


def mailbox_page(account: Account) -> str:
    """The account's newest mails, the newest first, with the words of each."""
    newest = list(account.mailbox.mails.values())[: -_SHOWN_MAILS - 1 : -1]
    mails = "".join(
        f"<details><summary>{mail.at:%Y-%m-%d %H:%M} <b>{html.escape(mail.header('Subject') or '(no subject)')}</b>"
        f"<br><small>{html.escape(mail.header('From'))} to {html.escape(mail.header('To'))},"
        f" {html.escape(', '.join(sorted(mail.labels)))}</small></summary>"
        f"<pre>{html.escape(text_in(mail.raw))}</pre></details>"
        for mail in newest
    )
    body = f"<h1>{html.escape(account.name)}</h1><p>{html.escape(account.email)}, simulated Gmail</p>"
    return page(f"{account.name} - Gmail", body + (mails or "<p>No mail.</p>"))


def event_page(world: World, token: str) -> str:
    """The page behind an event's htmlLink. Raises GoogleError 404."""
    try:
        padded = token + "=" * (-len(token) % 4)
        event_id, _, calendar_id = base64.urlsafe_b64decode(padded).decode().partition(" ")
    except ValueError:
        raise not_found() from None
    calendar = world.calendars.get(calendar_id)
    stored = calendar.events.get(event_id.partition("_")[0]) if calendar else None
    if stored is None:
        raise not_found()
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in stored.fields.items()
    )
    return page(str(stored.fields.get("summary", "Event")), f"<table>{rows}</table>")


def _table(world: World, calendar: Calendar) -> str:
    rows = "".join(_row(fields, calendar) for fields in _ahead(world, calendar))
    return f"<table>{rows}</table>" if rows else "<p>Nothing ahead.</p>"


def _row(fields: Json, calendar: Calendar) -> str:
    when, about = html.escape(_when(fields, calendar)), html.escape(_about(fields))
    title = html.escape(str(fields.get("summary", "(No title)")))
    return f"<tr><td>{when}</td><td>{title}<br><small>{about}</small></td></tr>"


def _ahead(world: World, calendar: Calendar) -> list[Json]:
    begins, ends = world.now() - timedelta(days=1), world.now() + timedelta(days=60)
    found: list[Json] = []
    for stored in calendar.events.values():
        if stored.is_cancelled:
            continue
        if not stored.is_series:
            found.append(stored.fields)
            continue
        found += [exception.fields for exception in stored.exceptions.values() if not exception.is_cancelled]
        for occurrence in occurrences(stored.fields, calendar.zone, ends_after=begins, starts_before=ends):
            if occurrence.key not in stored.exceptions:
                found.append(instance_fields(stored, occurrence))
    near = [each for each in found if begins < instant(each["end"], calendar.zone)]
    near = [each for each in near if instant(each["start"], calendar.zone) < ends]
    return sorted(near, key=lambda each: instant(each["start"], calendar.zone))


def _when(fields: Json, calendar: Calendar) -> str:
    if "date" in fields["start"]:
        return f"{fields['start']['date']} (all day)"
    start, end = (instant(fields[name], calendar.zone).astimezone(calendar.zone) for name in ("start", "end"))
    return f"{start:%a %Y-%m-%d %H:%M} - {end:%H:%M %Z}"


def _about(fields: Json) -> str:
    guests = [f"{guest['email']} ({guest['responseStatus']})" for guest in fields.get("attendees", [])]
    told = [fields.get("transparency", ""), fields["status"] if fields["status"] != "confirmed" else "", *guests]
    return ", ".join(text for text in [fields.get("location", ""), fields.get("hangoutLink", ""), *told] if text)
