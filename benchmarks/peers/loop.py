"""The plain way to do all of it, as small programs do: one row, one query, one page and one mail after another.

SQLite holds people with their profiles as JSON, and an FTS5 index of the entries. A plan asks one query for each
subscriber and inserts a row; a delivery renders a small Jinja page for each row, builds an EmailMessage, hands it to
smtplib over one connection that is kept, and commits. It knows no time zones, no reasons, no parts of queries, no
retries and no signed links: it does less than what it stands beside.
"""

from __future__ import annotations

import csv
import json
import smtplib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage
from itertools import groupby, islice
from pathlib import Path

from jinja2 import Environment

from peers.matching import plain

_TABLES = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, profiles TEXT);
    CREATE TABLE editions (id INTEGER PRIMARY KEY, person INTEGER, entries TEXT, state TEXT);
    CREATE VIRTUAL TABLE entries USING fts5(title, abstract, url UNINDEXED, tokenize='porter unicode61');
"""
_PAGE = """<html><body><h1>Digest for {{ email }}</h1>{% for title, abstract, url in entries %}
<h2><a href="{{ url }}">{{ title }}</a></h2><p>{{ abstract }}</p>{% endfor %}</body></html>"""
_BEST = "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY bm25(entries) LIMIT 20"
_CARDS = "SELECT title, abstract, url FROM entries WHERE rowid IN (SELECT value FROM json_each(?))"


def _database(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "loop.db")
    database.execute("PRAGMA journal_mode = WAL")
    return database


def enrol(folder: Path, _port: int, count: int) -> int:
    """Read people from people.csv, one after the other, and insert them; the entries are those of Digest's database."""
    with closing(_database(folder)) as database, (folder / "people.csv").open(newline="") as file:
        database.executescript(_TABLES)
        for email, rows in islice(groupby(csv.DictReader(file), key=lambda row: row["email"]), count):
            profiles = json.dumps([row["keywords"].split("\n")[:-1] for row in rows])
            database.execute("INSERT INTO people (email, profiles) VALUES (?, ?)", (email, profiles))
        database.commit()
    return count


def _copy_entries(folder: Path, database: sqlite3.Connection) -> None:
    database.execute("ATTACH ? AS digest", (str(folder / "million.db"),))
    database.execute("INSERT INTO entries SELECT title, abstract, url FROM digest.entries")
    database.commit()


def plan(folder: Path, _port: int, count: int) -> int:
    """One query and one row for each."""
    with closing(_database(folder)) as database:
        _copy_entries(folder, database)
        for number, profiles in database.execute("SELECT id, profiles FROM people LIMIT ?", (count,)).fetchall():
            keywords = [plain(keyword) for profile in json.loads(profiles) for keyword in profile]
            asked = " OR ".join(f'"{keyword}"' for keyword in keywords)
            found = json.dumps([row[0] for row in database.execute(_BEST, (asked,))])
            database.execute("INSERT INTO editions (person, entries, state) VALUES (?, ?, 'planned')", (number, found))
        database.commit()
    return count


def deliver(folder: Path, port: int, count: int) -> int:
    """One page, one mail and one commit for each."""
    page = Environment(autoescape=True).from_string(_PAGE)
    waiting = "SELECT editions.id, email, entries FROM editions JOIN people ON people.id = person LIMIT ?"
    with closing(_database(folder)) as database, smtplib.SMTP("127.0.0.1", port, "me") as smtp:
        for number, email, found in database.execute(waiting, (count,)).fetchall():
            html = page.render(email=email, entries=database.execute(_CARDS, (found,)).fetchall())
            smtp.send_message(_mail(email, html))
            database.execute("UPDATE editions SET state = 'sent' WHERE id = ?", (number,))
            database.commit()
    return count


def _mail(email: str, html: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "digest@example.org", email, "Digest"
    mail.set_content("Your digest is in the other part.")
    mail.add_alternative(html, subtype="html")
    return mail


WAYS: dict[str, Callable[[Path, int, int], int]] = {"import": enrol, "plan": plan, "deliver": deliver}
