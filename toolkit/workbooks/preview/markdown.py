"""Markdown as HTML that a page may hold: no script, no style, no element or address that is not on a list."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_TAGS = frozenset(
    "p br hr h1 h2 h3 h4 h5 h6 b strong i em u s del sub sup code pre blockquote ul ol li table thead tbody tr th td a span div".split()
)
_EMPTY = frozenset({"br", "hr"})
_DROPPED = frozenset({"script", "style", "iframe", "object", "embed", "svg", "math", "template", "noscript", "title", "textarea"})
_ADDRESS = re.compile(r"(https?://|mailto:|#)[^\s]*", re.IGNORECASE)


def to_html(text: str) -> str:
    """Sanitised HTML of a workbook's text. Pictures are shown as their description: a preview loads nothing."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    cleaner = _Cleaner()
    cleaner.feed(reader.render(text))
    cleaner.close()
    return cleaner.html()


class _Cleaner(HTMLParser):
    """Writes again what is allowed; text of everything else stays, without its markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []
        self.dropping: list[str] = []

    def html(self) -> str:
        return "".join([*self.out, *(f"</{tag}>" for tag in reversed(self.open))])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self.dropping.append(tag)
        if self.dropping:
            return
        values = dict(attrs)
        if tag == "img":
            self.out.append(escape(values.get("alt") or ""))
        elif tag in _TAGS:
            self.out.append(f"<{tag}{_address(tag, values)}>")
            if tag not in _EMPTY:
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.dropping:
            if tag == self.dropping[-1]:
                self.dropping.pop()
            return
        if tag in self.open:
            while self.open:
                closed = self.open.pop()
                self.out.append(f"</{closed}>")
                if closed == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self.dropping:
            self.out.append(escape(data))


def _address(tag: str, values: dict[str, str | None]) -> str:
    address = values.get("href") or ""
    if tag != "a" or not _ADDRESS.fullmatch(address):
        return ""
    return f' href="{escape(address)}" target="_blank" rel="noopener noreferrer"'
