"""The tables. Times are epoch seconds (SQLite drops the zone of a date-time); states are the words of `model.State`.

Indexes over some of a table's rows stand in `indexes`. A change here needs a migration in migrations/versions; a test
holds the two against each other.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from digest.model import State

HEAD = "0006"
"""The newest migration."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OPEN = (State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENDING)
"""The states of editions of which something is still to come."""
TOLD = (State.EMPTY, State.DEFERRED, State.FAILED, State.UNKNOWN)
"""The states whose reasons are shown."""

# SQLite gives a number by itself only to a key of type INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, **options: object) -> Column[str]:
    return Column(name, Text, nullable=False, **options)  # type: ignore[arg-type]  # options of Column, passed through


def _time(name: str, **options: object) -> Column[int]:
    return Column(name, BigInteger, nullable=False, **options)  # type: ignore[arg-type]  # likewise


files = Table(
    "files",
    metadata,
    Column("id", Key, primary_key=True),
    _text("digest", unique=True),  # SHA-256 of the content, whatever the name
    _text("path"),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    _time("loaded_at"),
    _text("format"),
    _text("curator"),
    Column("listed_on", Date),
    Column("entries", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("warnings", JSON, nullable=False),
)

rejections = Table(
    "rejections",
    metadata,
    Column("id", Key, primary_key=True),
    Column("file", Key, ForeignKey("files.id"), nullable=False, index=True),
    Column("line", Integer, nullable=False),
    _text("reason"),
    _text("excerpt"),
)

entries = Table(  # what is told of papers: one row each, and another where more is told than editions may hold
    "entries",
    metadata,
    Column("number", Key, primary_key=True),
    Column("first", Key, ForeignKey("entries.number")),  # the row of the same paper that has the keys; none: this one
    _text("title"),
    _text("abstract"),
    Column("authors", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
    _text("source"),
    _text("url"),
    Column("published", Date),
    Column("votes", Integer),
    Column("links", JSON, nullable=False),
    Column("version", Integer, nullable=False),  # 0: not known
    Column("updated", Boolean, nullable=False),  # it is there because a new version was announced
    _time("loaded_at", index=True),
)

keys = Table(  # every identity of every entry
    "keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("entry", Key, ForeignKey("entries.number"), nullable=False, index=True),
    Column("rank", Integer, nullable=False),  # by its kind; 0: the strongest
)

sightings = Table(
    "sightings",
    metadata,
    Column("entry", Key, ForeignKey("entries.number"), primary_key=True),
    Column("file", Key, ForeignKey("files.id"), primary_key=True),
    Column("position", Integer, nullable=False),  # 1-based, in its file
    _text("source"),
    Column("votes", Integer),
    Column("version", Integer, nullable=False),  # 0: not known
)

fetches = Table(  # what is known of each source that is fetched from an address
    "fetches",
    metadata,
    Column("source", Text, primary_key=True),  # its name
    _text("url"),
    _text("etag"),
    _text("modified"),  # Last-Modified, as it was sent
    _text("digest"),  # SHA-256 of the bytes that came last
    _time("tried_at"),
    Column("fetched_at", BigInteger),  # when it last answered; none: never
    _time("next_at"),  # not to be asked before
    Column("failures", Integer, nullable=False),  # in a row
    _text("words"),  # the last one's
)

stems = Table(  # how common words are, over all entries ever loaded
    "stems",
    metadata,
    Column("stem", Text, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("occurrences", Integer, nullable=False),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Key, primary_key=True),
    _text("identity", unique=True),  # the address, normalised
    _text("email"),  # as typed
    _text("name"),
    _text("zone"),
    Column("send_at", Text),  # "07:30" local; none: on the first run of the day
    _text("days"),
    Column("min_matches", Integer, nullable=False),
    Column("max_entries", Integer, nullable=False),
    Column("paused_until", Date),
    Column("skip", JSON, nullable=False),
    Column("updates", Boolean, nullable=False),  # wants new versions of entries, too
    Column("active", Boolean, nullable=False),
    Column("configured", Boolean, nullable=False),  # kept in step with [[subscribers]] of the configuration
    Column("profiles", JSON, nullable=False),
    Column("names", JSON, nullable=False),  # of the profiles
    Column("queries", LargeBinary, nullable=False),  # the keywords of the profiles, as numbers: see queries.py
    Column("watermark", BigInteger, nullable=False),  # the last entry number considered
    Column("since", Date),  # the first local date that the next edition covers; none: it has no earlier one
    Column("due_at", BigInteger),  # the moment of the first slot without an edition; none: not subscribed
    Column("again_at", BigInteger),  # the moment of the last slot, if its edition is empty and a new entry may fill it
    _text("suppressed"),  # why no mail goes to the address, whatever is wanted; "": it may
    Column("own", Boolean, nullable=False),  # changed by themselves on the web pages: the configuration no longer is
    Column("confirmed_at", BigInteger),  # when they said yes by the link in a mail; none: somebody else added them
    _time("created_at"),
    Index(None, "due_at", "id"),
)

editions = Table(  # what is written for every mail stands here, in few bytes; what is in the mail, in contents
    "editions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("subscriber", Key, ForeignKey("subscribers.id"), nullable=False),
    Column("slot", Date, nullable=False),  # the local date
    Column("since", Date, nullable=False),  # the first local date that it covers
    _time("due_at"),  # the moment of the slot
    _text("state"),
    _text("reason"),  # why it is empty, deferred, failed, …: the server's words or ours
    Column("code", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("planned_at"),
    _time("next_at"),  # not to be tried before
    Column("changed_at", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False),  # the window: entries numbered above this …
    Column("upto", BigInteger, nullable=False),  # … and up to this
    Column("considered", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("run", Key, nullable=False),  # the run that took it last, its fencing token; 0: none has
    Column("doubtful", Boolean, nullable=False),  # it was unknown once: the recipient may have it
    Column("room", Integer, nullable=False),  # octets that its HTML may have; 0: as usual
    UniqueConstraint("subscriber", "slot"),
)

contents = Table(  # of editions that have any
    "contents",
    metadata,
    Column("edition", Key, ForeignKey("editions.id"), primary_key=True, autoincrement=False),
    _text("email"),
    _text("name"),
    _text("zone"),
    Column("profiles", JSON, nullable=False),  # their names
    Column("entries", LargeBinary, nullable=False),  # those with a card, best first, then others (see contents.py)
    Column("scores", LargeBinary, nullable=False),  # of the cards
    Column("reasons", LargeBinary, nullable=False),  # of the cards: for each profile in turn the queries that hit
)

queries = Table(  # keywords in one sense, as profiles have them; what several had stays, for editions name it
    "queries",
    metadata,
    Column("id", Key, primary_key=True),
    _text("keyword"),  # as typed
    _text("match"),
    Column("capitals", Boolean, nullable=False),
    _text("whose", index=True),  # the identity of the only subscriber who ever had it; "": several had
    UniqueConstraint("keyword", "match", "capitals"),
    sqlite_autoincrement=True,  # the number of what is forgotten is never another's
)

hits = Table(  # why entries are in editions, in words
    "hits",
    metadata,
    Column("entry", Key, primary_key=True, autoincrement=False),
    Column("query", Key, ForeignKey("queries.id"), primary_key=True, autoincrement=False),
    Column("found", JSON, nullable=False),  # for each field with a hit: its name, and the pieces of its text that hit
    sqlite_with_rowid=False,
)

throttles = Table(  # how fast mail may go to a relay or to a recipient's domain
    "throttles",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("free_at", Float, nullable=False),  # epoch seconds: when the next mail may go by the rate alone
    Column("paused_until", BigInteger, nullable=False),
    Column("strikes", Integer, nullable=False),  # refusals in a row
    _text("words"),  # the last refusal
)

suppressions = Table(  # addresses that get no mail, as keyed hashes, so that they outlive the subscriber's row
    "suppressions",
    metadata,
    Column("key", Text, primary_key=True),
    _text("kind"),  # bounce, complaint or manual
    _text("reason"),
    _time("at", index=True),
)

secrets = Table(  # random keys made by the program itself
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    _text("value"),
)

signups = Table(  # who asked for a digest on the web pages; nothing is sent there before they say yes
    "signups",
    metadata,
    Column("id", Key, primary_key=True),
    _text("identity", unique=True),
    _text("email"),  # as typed
    Column("wishes", JSON, nullable=False),  # columns of subscribers
    _time("asked_at", index=True),
    Column("confirmed_at", BigInteger),
)

letters = Table(  # mails to one person that are no editions: a link to confirm with, or to sign in with
    "letters",
    metadata,
    Column("id", Key, primary_key=True),
    _text("kind"),
    _text("email"),
    Column("whose", Key, nullable=False),  # the number that its link is for: of a signup, or of a subscriber
    _text("state"),
    _text("reason"),
    Column("code", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("written_at", index=True),  # the Date of the mail
    _time("next_at"),  # not to be tried before
)

rates = Table(  # how much of something one may still do
    "rates",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),  # a keyed hash of whose it is
    Column("free_at", Float, nullable=False, index=True),  # epoch seconds: the theoretical arrival time of the next
)

runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    _time("started_at"),
    _time("progress_at"),  # when it last did something
    Column("finished_at", BigInteger),  # none: at work, or killed
    Column("report", JSON, nullable=False),
)

incidents = Table(  # what is or was broken, for the operator
    "incidents",
    metadata,
    Column("id", Key, primary_key=True),
    _text("kind"),
    _text("subject"),  # which one of its kind
    _text("words"),
    _time("opened_at"),
    Column("closed_at", BigInteger),  # none: it is still so
    Column("told", Integer, nullable=False),  # how many mails there were about it: of its beginning, and of its end
)
