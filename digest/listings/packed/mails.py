"""Mails, saved one by one (.eml, .emlx) or in a mailbox (mbox), to the listings in them.

Rules
-----
1. A mail begins with a From_ line and a header field, or with a block of header fields of which two are among the
   commonest. So a text that begins "Date:" is none, and a saved text with From, Date and Subject is one.
2. A mailbox is cut at From_ lines behind blank ones; a line in it that begins with ">From " loses one ">".
3. Of the texts of a mail those that are listings are taken; of alternatives, plain text before HTML. If there is no
   listing and no file either, the first text is taken, so that it is said what is wrong with it.
4. Attached files are taken if by type or name they can be listings, and attached mails.
5. The day of a listing is that of its mail, as the mail writes it.
6. A first line that is a number counts the bytes of the mail below it; what follows is none of it (.emlx, Apple Mail).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from email.message import Message
from itertools import chain, pairwise
from pathlib import PurePosixPath

from digest.errors import ListingError
from digest.listings.days import mail_day
from digest.listings.packed.bodies import is_listing, shown
from digest.listings.packed.mime import Leaf, head, leaves, words
from digest.listings.packed.part import SUFFIXES, Part
from digest.model import Rejection

_COMMON = b"from to subject date received return-path message-id mime-version delivered-to".split()
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*\n?|[ \t]+[^\n]*\n?")
_COUNT = re.compile(rb"(\d{1,10})[ \t]*\r?\n")
_TOP = 1 << 16
_ENVELOPE = rb"From [^\n]{1,200}\d:\d\d[^\n]{0,100}\n(?=[!-9;-~]+:)"
_FROM = re.compile(_ENVELOPE)
_BETWEEN = re.compile(rb"\n\n" + _ENVELOPE)
_QUOTED_FROM = re.compile(rb"\n>(?=>*From )")
_MOST_MAILS = 100_000
_SUBJECT = 60
_UNNAMED = {"message/rfc822": "an attached mail"}

_TYPES = re.compile(
    r"text/(?:plain|csv|tab-separated-values|xml|x-bibtex)|message/rfc822|application/(?:xml|(?:feed\+)?json"
    r"|(?:rss|atom)\+xml|x-bibtex|x-research-info-systems|(?:x-)?gzip|(?:x-)?zip(?:-compressed)?|mbox)"
)


def recognise(content: bytes) -> bool:
    """Whether bytes are one mail or more (rule 1)."""
    top = _plain_ends(_counted(content[:_TOP]))
    if _FROM.match(top):
        return True
    names, place = set[bytes](), 0
    while found := _FIELD.match(top, place):
        names.add((found[1] or b"").lower())
        place = found.end()
    return len(names.intersection(_COMMON)) > 1


def parts(part: Part) -> Iterator[Part | Rejection]:
    """What may be a listing in one mail or in a mailbox. Raises ListingError if a single mail cannot be read."""
    counted = _counted(part.content)
    content = _plain_ends(counted)
    if not _FROM.match(content):
        yield from _in_place(content, part.day, above=counted is not part.content)
        return
    mails = [_QUOTED_FROM.sub(b"\n", content[start:end]) for start, end in _cuts(content)]
    if len(mails) == 1:
        yield from _in_place(mails[0], part.day)
        return
    for number, mail in enumerate(mails, 1):
        yield from _one_of_many(mail, number, part.day)


def _counted(content: bytes) -> bytes:
    """The mail that the first line counts (rule 6), else all."""
    found = _COUNT.match(content)
    return content[found.end() : found.end() + int(found[1])] if found else content


def _plain_ends(content: bytes) -> bytes:
    return content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").replace(b"\r\n", b"\n")


def _cuts(content: bytes) -> Iterator[tuple[int, int]]:
    """Where in a mailbox mails begin and end. Raises ListingError for too many."""
    starts = (found.start() + 2 for found in _BETWEEN.finditer(content))
    for number, cut in enumerate(pairwise(chain([0], starts, [len(content)]))):
        if number == _MOST_MAILS:
            raise ListingError(f"a mailbox of more than {_MOST_MAILS:,} mails; split it")
        yield cut


def _in_place(mail: bytes, day: date, *, above: int = 0) -> Iterator[Part]:
    """The parts of the only mail of a file; lines in a text that was not decoded are those of the file.

    `above`: lines of the file above the mail.
    """
    for part in _parts(mail, day):
        if part.name or not mail.endswith(part.content) or part.content.lstrip().startswith(b"<"):  # XML begins at once
            yield part
        else:
            above += mail.count(b"\n", 0, len(mail) - len(part.content))
            yield part._replace(content=b"\n" * above + part.content)


def _one_of_many(mail: bytes, number: int, day: date) -> Iterator[Part | Rejection]:
    """The parts of a mail in a mailbox, named by its number and subject."""
    subject = _subject(head(mail)[0])
    name = f"mail {number} ({subject})" if subject else f"mail {number}"
    try:
        for part in _parts(mail, day):
            yield part._replace(name=f"{name}: {part.name}" if part.name else name)
    except ListingError as error:
        yield Rejection(0, f"{name}: {error}")


def _parts(mail: bytes, day: date) -> Iterator[Part]:
    """The parts of one mail; a text has no name. Raises ListingError."""
    message, body = head(mail)
    found = leaves(message, body)
    files = [leaf for leaf in found if _is_file(leaf)]
    texts = [text for text in map(shown, (leaf for leaf in found if leaf.is_text)) if text]
    day = mail_day(str(message["date"])) or day
    if len(texts) + len(files) > 1:
        texts = [text for text in texts if is_listing(text)] or ([] if files else texts[:1])
    if not texts and not files:
        raise ListingError("there is no text in this mail, and no file that can be a listing")
    for text in texts:
        yield Part("", text.content, text.charset, day)
    for leaf in files:
        yield Part(leaf.name[:100] or _UNNAMED.get(leaf.kind, leaf.kind), leaf.content, leaf.charset, day)


def _is_file(leaf: Leaf) -> bool:
    """Rule 4."""
    known = _TYPES.fullmatch(leaf.kind) or PurePosixPath(leaf.name).suffix.lower() in SUFFIXES
    return bool(known) and not leaf.is_text and leaf.kind != "text/html"


def _subject(message: Message) -> str:
    """How the subject of a mail begins."""
    subject = words(str(message["subject"] or ""))
    return subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 1].rstrip()}…"
