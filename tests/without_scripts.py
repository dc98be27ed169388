"""A browser without scripts: reads pages, follows links, fills in forms and sends what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import httpx


@dataclass
class Form:
    """What it would send as it stands, and where to. `offered` are values it does not hold yet, by name."""

    action: str
    method: str
    held: list[tuple[str, str]] = field(default_factory=list)
    offered: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def one(self, name: str) -> str | None:
        return next((value for each, value in self.held if each == name), None)

    def having(self, filled: Mapping[str, str | Sequence[str]]) -> list[tuple[str, str]]:
        """What it sends once these are filled in, which all have to be there."""
        unknown = set(filled) - set(self.names)
        assert not unknown, f"the form has no {unknown}"
        typed = [
            (name, each) for name, value in filled.items() for each in ([value] if isinstance(value, str) else value)
        ]
        return [pair for pair in self.held if pair[0] not in filled] + typed


@dataclass
class Seen(HTMLParser):
    """A page as it came."""

    answer: httpx.Response
    links: list[tuple[str, str]] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._href: str | None = None
        self._problem: str | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._option: tuple[str | None, bool] | None = None
        self._words = ""
        self.feed(self.answer.text)
        self.text = " ".join(self.text.split())

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def form(self) -> Form:
        """The one form that changes something."""
        [form] = [form for form in self.forms if form.method == "post"]
        return form

    def link(self, words: str) -> str:
        """Where the first link with these words leads."""
        return next(href for href, text in self.links if words in text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._words = ""
        match tag:
            case "a":
                self._href = given["href"]
            case "time":
                self.times.append(given["datetime"])
            case "form":
                self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
            case "input" | "button":
                self._control(tag, given)
            case "textarea":
                self._area = given["name"]
                self.forms[-1].names.append(given["name"])
            case "select":
                self._select = given["name"]
                self.forms[-1].names.append(given["name"])
            case "option":
                self._option = (given.get("value"), "selected" in given)
            case "span" if "id" in given:
                self._problem = given["id"].removeprefix("problem.")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "a" if self._href is not None:
                self.links.append((self._href, self._words.strip()))
                self._href = None
            case "textarea" if self._area is not None:
                self.forms[-1].held.append((self._area, self._words))
                self._area = None
            case "option" if self._select is not None and self._option is not None:
                value, selected = self._option
                chosen = self._words if value is None else value
                into = self.forms[-1]
                if selected or (value == "" and into.one(self._select) is None):
                    into.held = [pair for pair in into.held if pair[0] != self._select] + [(self._select, chosen)]
                into.offered.setdefault(self._select, []).append(chosen)
            case "select":
                self._select = None
            case "span" if self._problem is not None:
                self.problems[self._problem] = self._words.strip()
                self._problem = None

    def handle_data(self, data: str) -> None:
        self._words += data
        self.text += data + " "

    def _control(self, tag: str, given: Mapping[str, str]) -> None:
        if "name" not in given:
            return
        into, name, value = self.forms[-1], given["name"], given.get("value", "")
        into.names.append(name)
        chosen = "checked" in given if given.get("type") == "checkbox" else tag == "input"
        if chosen:
            into.held.append((name, value))
        else:
            into.offered.setdefault(name, []).append(value)


class Reader:
    """Somebody with such a browser. `host` is the name it came by, where that is another one than the server's own."""

    def __init__(self, url: str, *, host: str | None = None) -> None:
        named = host or httpx.URL(url).netloc.decode("ascii")
        self.origin = f"http://{named}"
        self.http = httpx.AsyncClient(base_url=url, timeout=30, headers={"Host": named})

    async def __aenter__(self) -> "Reader":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def open(self, address: str) -> Seen:
        return Seen(await self.http.get(address))

    async def follow(self, seen: Seen, href: str) -> Seen:
        """Open a link of a page, as the browser works it out."""
        return await self.open(str(httpx.URL(urljoin(str(seen.answer.url), href))))

    async def send(self, seen: Seen, **filled: str | Sequence[str]) -> Seen:
        """Send the page's form, filled in like this, and see what comes, wherever that leads."""
        data = seen.form.having(filled)
        body = urlencode(data)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        address = urljoin(str(seen.answer.url), seen.form.action)
        return Seen(await self.http.post(address, content=body, headers=headers))
