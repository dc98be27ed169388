"""The part of the tour on Anna's settings page: the URL of new pages, a domain of her own, the link beside a chat."""

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meetings.infrastructure.demo import settings_operations as operations
from meetings.infrastructure.demo.client import Frontend
from meetings.infrastructure.demo.name_server import NameServer

if TYPE_CHECKING:
    from meetings.infrastructure.demo.tour import Tour

DOMAIN = "meet.example.test"
_OLD_SLUG = "anna/intro"
_NEW_URL = "anna-albers"
_MOST_SCRIPT = 5 * 1024


@dataclass
class CalendarSettings:
    """The steps on the settings page; `tour` is the one they are part of."""

    tour: "Tour"
    dns: NameServer

    async def walk(self) -> None:
        """All steps in order. Raises what the tour raises."""
        await self.change_url()
        domain = await self.connect_domain()
        await self.book_as_returning_visitor()
        await self.show_link_in_chat()
        await self.remove_domain(domain)

    async def change_url(self) -> None:
        report = self.tour.report
        report.step("Anna changes the URL that her new pages get")
        before = await self._urls()
        changed = (await self.tour.anna.ask(operations.SET_URL, url=_NEW_URL))["updateMeetingUrl"]
        report.expect(not changed["errors"], f"it is {changed['meetingUrl']} from now on", changed)
        page = await self.tour.create_page(self.tour.anna, None, "Second talk")
        path = urlsplit(page["url"]).path
        report.expect(path.startswith(f"/meetings/{_NEW_URL}"), f"a page made afterwards is at {path}", page)
        after = await self._urls()
        report.expect(
            before.items() <= after.items() and await self._opens(after[_OLD_SLUG]),
            f"her first page stays where it was, and opens: {after[_OLD_SLUG]}",
            after,
        )

    async def connect_domain(self) -> str:
        report, anna = self.tour.report, self.tour.anna
        report.step(f"She connects {DOMAIN}, with a DNS server on this machine")
        domain = (await anna.ask(operations.ADD_DOMAIN, host=DOMAIN))["addDomain"]["domain"]
        record = domain["record"]
        report.saw(f"record to set: {record['name']} {record['type']} {record['value'][:40]}…")
        early = (await anna.ask(operations.CHECK_DOMAIN, id=domain["id"]))["checkDomain"]
        report.expect(
            [error["code"] for error in early["errors"]] == ["DNS_NOT_READY"],
            "before it is set, the domain is not hers (DNS_NOT_READY)",
            early,
        )
        self.dns.set(record["name"], record["value"])
        checked = (await anna.ask(operations.CHECK_DOMAIN, id=domain["id"]))["checkDomain"]
        report.expect(not checked["errors"] and checked["domain"]["state"] == "CONNECTED", "set, it is", checked)
        chosen = (await anna.ask(operations.CHOOSE_DOMAIN, domain=DOMAIN))["setMeetingDomain"]
        url = (await self._urls())[_OLD_SLUG]
        report.expect(
            not chosen["errors"] and urlsplit(url).hostname == DOMAIN, f"her pages are under it now: {url}", chosen
        )
        connected: str = domain["id"]
        return connected

    async def book_as_returning_visitor(self) -> None:
        report = self.tour.report
        report.step(f"A visitor books under {DOMAIN}, and comes back later")
        async with Frontend(self.tour.base_url, host=DOMAIN) as browser:
            opened = await browser.http.get(f"/meetings/{_OLD_SLUG}")
            report.expect(opened.status_code == 200, "the page opens under that name", opened.status_code)
            report.expect(not await self._prefilled(browser), "the form of somebody new is empty")
            await self._book(browser, "Mary", "Jackson", "mary@example.org")
            report.expect(len(browser.http.cookies) == 1, "booked; her browser was given a cookie")
            known = await self._prefilled(browser)
            for key, values in known.items():
                report.saw(f"- {key}: {', '.join(values)}")
            report.expect(
                known.get("email") == ["mary@example.org"] and known.get("topic") == ["Compilers"],
                "next time the form is filled in with what she answered",
                known,
            )
            await self._book(browser, *(known[key][0] for key in ("firstName", "lastName", "email")))
            report.expect(True, "she books a second meeting with it")
        async with Frontend(self.tour.base_url) as elsewhere:
            elsewhere.http.cookies = browser.http.cookies
            report.expect(
                not await self._prefilled(elsewhere), "under a standard host the same cookie fills in nothing"
            )

    async def show_link_in_chat(self) -> None:
        report, anna = self.tour.report, self.tour.anna
        report.step("The link to her page beside a chat on somebody's web site")
        own = (await anna.ask(operations.CHAT_PROFILE, shows=True, text="Talk to me for half an hour"))[
            "updateChatProfile"
        ]
        report.expect(not own["errors"], "Anna switches it on", own)
        viewer = (await anna.ask(operations.WIDGET))["viewer"]
        asked = {"key": viewer["account"]["widgetKey"], "agent": viewer["user"]["id"]}
        async with Frontend(self.tour.base_url) as site:
            script = await site.http.get("/chat.js")
            small = len(gzip.compress(script.content))
            report.expect(
                script.status_code == 200 and small < _MOST_SCRIPT,
                f"the site includes /chat.js: {small:,} bytes compressed",
                (script.status_code, small),
            )
            link = (await site.ask(operations.CHAT_LINK, **asked))["chatMeetingLink"]
            report.saw(f"{link['agentName']}: {link['text']} -> {link['url']} ({link['mode']})")
            told = (await site.http.get("/chat/link", params=asked)).json()["link"]
            report.expect(told == link, "the script is told the same as a bot that asks the API", told)
        report.expect(
            urlsplit(link["url"]).hostname == DOMAIN
            and await self._opens(link["url"])
            and link["nextAvailable"] is not None,
            f"the link opens her page; next free at {self.tour.clock(link['nextAvailable']['start'], '%a %H:%M')}",
            link,
        )

    async def remove_domain(self, domain_id: str) -> None:
        report, anna = self.tour.report, self.tour.anna
        report.step("She removes the domain again")
        removed = (await anna.ask(operations.REMOVE_DOMAIN, id=domain_id))["removeDomain"]
        url = (await self._urls())[_OLD_SLUG]
        report.expect(
            not removed["errors"] and url.startswith(self.tour.base_url) and await self._opens(url),
            f"her pages are at a standard host again: {url}",
            (removed, url),
        )

    async def _urls(self) -> dict[str, str]:
        """The addresses of Anna's pages by their slugs."""
        viewer = (await self.tour.anna.ask(operations.PAGES))["viewer"]
        return {page["slug"]: page["url"] for page in viewer["schedulingPages"]["nodes"]}

    async def _opens(self, url: str) -> bool:
        """Whether a browser that follows an address of this server's, under whatever name, sees a page."""
        parts = urlsplit(url)
        async with Frontend(self.tour.base_url, host=parts.hostname) as browser:
            return (await browser.http.get(parts.path)).status_code == 200

    async def _prefilled(self, browser: Frontend) -> dict[str, list[str]]:
        found = await browser.ask(operations.PREFILL, at={"slug": {"slug": _OLD_SLUG}})
        return {value["key"]: value["values"] for value in found["publicSchedulingPage"]["prefill"]}

    async def _book(self, browser: Frontend, first: str, last: str, email: str) -> None:
        slots = (await browser.ask(operations.SLOTS, month=self.tour.month()))["availability"]["days"]
        start = slots[-1]["slots"][0]["start"]
        answer = (await browser.ask(operations.BOOK, input=self.tour.wish(start, first, last, email)))["bookMeeting"]
        self.tour.report.expect(
            answer["booking"] is not None and answer["booking"]["status"] == "CONFIRMED",
            f"CONFIRMED for {first} {last}, {self.tour.clock(start, '%a %H:%M')} New York time",
            answer,
        )
