"""MJML that holds Jinja, compiled once to HTML that holds Jinja.

Rules
-----
1. MJML sees no Jinja: each tag is shielded by a plain word (MJML would choke on `{% if n < 9 %}`).
2. Every tag must survive; a statement exactly once, for MJML drops some attributes and doubles others.
3. No `<mj-` remains, and no remote font comes in.
4. MJML's own errors have no place, so a strict reading of the tags comes first, which has one.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from mjml import mjml2html

from digest.rendering.places import Compiled, Source, place

_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
_TAGS = {
    *("mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-preview", "mj-title"),
    *("mj-font", "mj-style", "mj-raw", "mj-section", "mj-column", "mj-group", "mj-wrapper", "mj-text", "mj-button"),
    *("mj-divider", "mj-spacer", "mj-image", "mj-table", "mj-hero", "mj-social", "mj-social-element", "mj-navbar"),
    *("mj-navbar-link", "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text"),
    *("mj-carousel", "mj-carousel-image"),
}
_INDENTATION = re.compile(r"\s*\n\s*")


def compile_mjml(source: Source) -> Compiled:
    """The HTML of an MJML template, its Jinja tags in place. A fault is a `TemplateError` with line and column."""
    _Lint(source).check()
    try:
        html = mjml2html(source.shielded, fonts={})
    except ValueError as error:
        raise source.fault(f"MJML: {error}", *place(source.text, source.text.find("<mjml") + 1)) from error
    for tag, count in zip(source.tags, source.counts(html), strict=True):
        if count == 0:
            raise source.fault_at(f"MJML drops `{tag.text}` here; give the value another way, as in mj-raw", tag)
        if count > 1 and tag.is_statement:
            raise source.fault_at(f"MJML doubles `{tag.text}` here; put it in mj-raw or in text", tag)
    if left := re.search(r"</?mj-[\w-]*", html):
        raise source.fault(
            f"MJML does not know `{left[0]}>` where it stands", *place(source.text, source.text.find(left[0]))
        )
    return source.unshield(_INDENTATION.sub("\n", html))


class _Lint(HTMLParser):
    """Finds a tag that is unknown to MJML, not closed, or closed without being open."""

    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=False)
        self.source = source
        self.open: list[tuple[str, int, int]] = []

    def check(self) -> None:
        self.feed(self.source.blanked())
        self.close()
        if self.open:
            name, line, column = self.open[-1]
            raise self.source.fault(f"<{name}> is not closed", line, column)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the parser's name
        self._know(tag)
        if tag not in _VOID:
            line, column = self.getpos()
            self.open.append((tag, line, column + 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # as above
        self._know(tag)

    def handle_endtag(self, tag: str) -> None:
        line, column = self.getpos()
        if tag in _VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            expected = f"; <{self.open[-1][0]}> of line {self.open[-1][1]} is still open" if self.open else ""
            raise self.source.fault(f"</{tag}> closes nothing{expected}", line, column + 1)
        self.open.pop()

    def _know(self, tag: str) -> None:
        if tag.startswith("mj") and tag not in _TAGS:
            line, column = self.getpos()
            raise self.source.fault(f"<{tag}> is no tag of MJML", line, column + 1)
