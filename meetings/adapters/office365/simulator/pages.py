"""What a person watching sees: the accounts, and each calendar as a plain list."""

import html
from datetime import timedelta

from meetings.adapters.office365.simulator.bodies import plain_text
from meetings.adapters.office365.simulator.errors import Json
from meetings.adapters.office365.simulator.listing import Window, bounds, view
from meetings.adapters.office365.simulator.world import Account, Calendar, World

_STYLE = (
    "body{font:16px/1.5 'Segoe UI',system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "label{display:block;padding:.2rem 0}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d2d0ce;vertical-align:top;white-space:pre-line}"
    "button{padding:.5rem 1.2rem;font:inherit}fieldset{border:1px solid #d2d0ce;margin:1rem 0}"
)


def page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{body}</html>"
    )


def index_page(world: World) -> str:
    rows = "".join(
        f'<li><a href="/calendar/{html.escape(account.email)}">{html.escape(account.name)}</a> '
        f"&lt;{html.escape(account.email)}&gt;</li>"
        for account in world.accounts.values()
    )
    return page("Office 365 (simulated)", f"<h1>Office 365 (simulated)</h1><ul>{rows}</ul>")


def account_page(world: World, account: Account) -> str:
    """The account's calendars with what is ahead in the next 60 days, and what was in the last."""
    parts = [f"<h1>{html.escape(account.name)}</h1><p>{html.escape(account.email)}, simulated Outlook calendar</p>"]
    for calendar_id in account.entries:
        calendar = world.calendars[calendar_id]
        parts.append(f"<h2>{html.escape(calendar.name)}</h2>")
        if calendar_id in account.lost:
            parts.append("<p>No access any more.</p>")
            continue
        parts.append(f"<p>{world.role(account, calendar)}, {html.escape(calendar.time_zone)}</p>")
        parts.append(_table(world, calendar))
    return page(f"{account.name} - Outlook", "".join(parts))


def event_page(fields: Json, calendar: Calendar) -> str:
    """One event as its owner sees it; the text as Exchange keeps it is not shown, since it is HTML of others."""
    about = {
        "When": _when(fields, calendar),
        "Where": fields["location"]["displayName"],
        "Join": (fields["onlineMeeting"] or {}).get("joinUrl", ""),
        "Guests": ", ".join(each["emailAddress"]["address"] for each in fields["attendees"]),
        "Text": plain_text(fields["body"]["content"]),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(text)}</td></tr>" for name, text in about.items() if text)
    title = fields["subject"] or "(No title)"
    return page(title, f"<h1>{html.escape(title)}</h1><table>{rows}</table>")


def _table(world: World, calendar: Calendar) -> str:
    window = Window(world.now() - timedelta(days=1), world.now() + timedelta(days=60))
    rows = "".join(_row(found.fields, calendar) for found in view(calendar, window))
    return f"<table>{rows}</table>" if rows else "<p>Nothing ahead.</p>"


def _row(fields: Json, calendar: Calendar) -> str:
    title = html.escape(fields["subject"] or "(No title)")
    about = html.escape(_about(fields))
    return f"<tr><td>{html.escape(_when(fields, calendar))}</td><td>{title}<br><small>{about}</small></td></tr>"


def _when(fields: Json, calendar: Calendar) -> str:
    start, end = (moment.astimezone(calendar.zone) for moment in bounds(fields))
    return f"{start:%Y-%m-%d} (all day)" if fields["isAllDay"] else f"{start:%a %Y-%m-%d %H:%M} - {end:%H:%M %Z}"


def _about(fields: Json) -> str:
    guests = [f"{each['emailAddress']['address']} ({each['status']['response']})" for each in fields["attendees"]]
    link = (fields["onlineMeeting"] or {}).get("joinUrl", "")
    told = [fields["location"]["displayName"], link, fields["showAs"] if fields["showAs"] != "busy" else "", *guests]
    return ", ".join(text for text in told if text)
