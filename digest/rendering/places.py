"""Where in a template file a fault stands.

MJML and Jinja see text that we have changed, on other lines than the author's editor shows. So each Jinja tag keeps its
place in the file. A *shielded* text has a plain word in place of each tag; *unshielded*, each tag stands there again
with its inside on lines of its own, which changes nothing for Jinja, so that a line of the compiled text names one tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from digest.errors import TemplateError

_NEXT = r"(?!\{[{%#])"  # a tag ends before the next one begins, or it is not closed
_INSIDE = rf"(?:\"(?:{_NEXT}[^\"])*\"|'(?:{_NEXT}[^'])*'|{_NEXT}[^\"'])*?"
_TAG = re.compile(rf"\{{#.*?#\}}\n?|(\{{\{{[-+]?)({_INSIDE})([-+]?\}}\}})|(\{{%[-+]?)({_INSIDE})([-+]?%\}})", re.DOTALL)
_OPENING = re.compile(r"\{[{%#]")
_WORD = re.compile(r"jinja(\d{5})tag")
_KEYWORD = re.compile(r"\{%[-+]?\s*(end)?(\w+)")
_PAIRED = {"if", "for", "block", "macro", "call", "filter", "with"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A Jinja tag (`{{ … }}` or `{% … %}`) in its three parts, and its place in the file, counted from 1."""

    opening: str
    inside: str
    closing: str
    line: int
    column: int

    @property
    def text(self) -> str:
        """The tag as its author wrote it."""
        return self.opening + self.inside + self.closing

    @property
    def is_statement(self) -> bool:
        """Whether the tag is `{% … %}`."""
        return self.opening.startswith("{%")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A text that is ready for Jinja; `lines` says which tag a line of it belongs to."""

    text: str
    lines: dict[int, Tag]


@dataclass(frozen=True, slots=True)
class Source:
    """A template as its author wrote it, its tags in order, and its shielded form, which has no Jinja comments."""

    file: Path
    text: str
    tags: tuple[Tag, ...]
    shielded: str

    def fault(self, reason: str, line: int = 1, column: int = 1) -> TemplateError:
        """An error that names the place, to be raised."""
        return TemplateError(f"{self.file}:{line}:{column}: {reason}")

    def fault_at(self, reason: str, tag: Tag | None) -> TemplateError:
        """An error at a tag; without one, at the top of the file."""
        return self.fault(reason, tag.line, tag.column) if tag else self.fault(reason)

    def unclosed(self) -> Tag | None:
        """The innermost tag that opens a block which nothing closes."""
        waiting: list[Tag] = []
        for tag in self.tags:
            keyword = _KEYWORD.match(tag.text)
            if keyword and keyword[2] in _PAIRED and not keyword[1]:
                waiting.append(tag)
            elif keyword and keyword[1] and waiting:
                waiting.pop()
        return waiting[-1] if waiting else None

    def blanked(self) -> str:
        """The text with its tags and comments written over, so that every place stays as it is."""
        return _TAG.sub(lambda tag: re.sub(r"[^\n]", "x" if tag[0][1] != "#" else " ", tag[0]), self.text)

    def counts(self, shielded: str) -> list[int]:
        """How often each tag stands in a shielded text."""
        found = [0] * len(self.tags)
        for word in _WORD.finditer(shielded):
            found[int(word[1])] += 1
        return found

    def unshield(self, shielded: str) -> Compiled:
        """The tags put back."""
        lines: dict[int, Tag] = {}
        pieces: list[str] = []
        line = 1
        for index, piece in enumerate(_WORD.split(shielded)):
            if index % 2:
                tag = self.tags[int(piece)]
                inside = tag.inside.count("\n") + 1
                lines |= dict.fromkeys(range(line + 1, line + 2 + inside), tag)  # Jinja may blame the closing, too
                line += inside + 1
                pieces.append(f"{tag.opening}\n{tag.inside}\n{tag.closing}")
            else:
                line += piece.count("\n")
                pieces.append(piece)
        return Compiled("".join(pieces), lines)


def read(file: Path) -> Source:
    """Read a template file. One that cannot be read, or has a Jinja tag that is not closed, is a `TemplateError`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{file}: the template cannot be read: {error}") from error
    tags: list[Tag] = []

    def shield(found: re.Match[str]) -> str:
        if found[0].startswith("{#"):
            return ""
        opening, inside, closing = (group for group in found.groups() if group is not None)
        tags.append(Tag(opening, inside, closing, *place(text, found.start())))
        return f"jinja{len(tags) - 1:05d}tag"

    shielded = _TAG.sub(shield, text)
    source = Source(file, text, tuple(tags), shielded)
    if stray := _OPENING.search(source.blanked()):
        raise source.fault(f"`{stray[0]}` is not closed", *place(text, stray.start()))
    return source


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of an index, both from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
