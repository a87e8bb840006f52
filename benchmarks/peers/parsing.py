"""Other readers of the formats that Digest reads. Each takes a file's bytes and returns how many records it found.

They are given the same bytes, and do less: none makes LaTeX or HTML readable, names one way, identities, versions or
links of code, and none says of what it could not read where it stands and why. feedparser sanitises HTML and reads
dates; fastfeedparser reads dates. bibtexparser, rispy and csv give the fields as they stand in the file; json the
values; mailbox and email the text of a mail as a whole, with whatever records it holds.
"""

from __future__ import annotations

import csv
import io
import json
import mailbox
import tempfile
from collections.abc import Callable
from contextlib import closing

Peer = Callable[[bytes], int]


def by_feedparser(content: bytes) -> int:
    import feedparser

    return len(feedparser.parse(content).entries)


def by_fastfeedparser(content: bytes) -> int:
    import fastfeedparser

    return len(fastfeedparser.parse(content).entries)


def by_bibtexparser(content: bytes) -> int:
    from bibtexparser.entrypoint import parse_string

    return len(parse_string(content.decode()).entries)


def by_rispy(content: bytes) -> int:
    import rispy

    return len(rispy.loads(content.decode()))


def by_csv(content: bytes) -> int:
    return len(list(csv.DictReader(io.StringIO(content.decode(), newline=""))))


def by_json(content: bytes) -> int:
    return len([json.loads(line) for line in content.decode().splitlines()])


def by_mailbox(content: bytes) -> int:
    """Knows only files; the records of arXiv's mails are counted by the lines that end them."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with closing(mailbox.mbox(file.name)) as box:
            texts = [mail.get_payload(decode=True) for mail in box]
    return sum(text.count(b"\n\\\\ ( http") for text in texts if isinstance(text, bytes))


PEERS: dict[str, tuple[tuple[str, Peer], ...]] = {
    "jsonl": (("json", by_json),),
    "rss": (("feedparser", by_feedparser), ("fastfeedparser", by_fastfeedparser)),
    "csv": (("csv.DictReader", by_csv),),
    "bibtex": (("bibtexparser", by_bibtexparser),),
    "ris": (("rispy", by_rispy),),
    "mbox": (("mailbox, email", by_mailbox),),
}
"""The readers of each format."""
