"""Descriptions of events as plain text. Google's "can contain HTML" (Events resource), and mostly are text with a few
tags, so that line breaks count as they stand."""

from html.parser import HTMLParser

_NEW_LINE = frozenset({"br", "p", "div", "tr", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = frozenset({"script", "style", "head", "title"})


def plain_text(description: str) -> str:
    """What a person reads: without tags, an item of a list per line, no more than one empty line in a row."""
    reader = _Reader()
    reader.feed(description)
    reader.close()
    lines = [line.strip() for line in "".join(reader.pieces).splitlines()]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(kept).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN
        if tag == "li":
            self.pieces.append("\n- " if self._mid_line() else "- ")
        elif tag == "br" or (tag in _NEW_LINE and self._mid_line()):
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _NEW_LINE and tag != "br" and self._mid_line():
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)

    def _mid_line(self) -> bool:
        """Whether something stands on the present line."""
        return bool(self.pieces) and not self.pieces[-1].endswith("\n")
