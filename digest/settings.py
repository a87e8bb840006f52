"""The sections of the configuration: every setting with its type, bounds and default."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, time
from functools import lru_cache
from typing import Annotated, Literal, TypeGuard
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from digest import exposure
from digest.cadence import calendar_names, canonical, skip_fault
from digest.model import Cadence, MatchMode, Profile, Subscriber


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to end a message with, if a known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


@lru_cache(maxsize=1024)
def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        close = did_you_mean(zone, available_timezones()) or "; write one like 'Europe/Berlin' or 'UTC'"
        raise ValueError(f"{zone!r} is not a time zone{close}") from None
    return zone


def _local_time(value: object) -> time:
    # The library would take 730 for seconds after midnight, and a time with a zone of its own.
    try:
        read = time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, time) or read.tzinfo:
        raise ValueError('not a local time of day; write one like "07:30"')
    return read


def _is_date(value: object) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)


def _local_date(value: object) -> date:
    # The library would take 20261201 for seconds since 1970, and drop the time of a moment.
    try:
        read = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not _is_date(read):
        raise ValueError("not a date; write one like 2026-12-01")
    return read


def _as_text(value: object) -> object:
    return value.isoformat() if _is_date(value) else value


def _day_to_skip(text: str) -> str:
    if fault := skip_fault(text.strip()):
        raise ValueError(fault)
    return text.strip()


def _calendar_name(name: str) -> str:
    if not calendar_names((name,)):
        raise ValueError(f"{name!r} is not a name; write letters, digits, - and _, with a letter first")
    return name


def _link_pattern(pattern: str) -> str:
    try:
        pattern.format(title="")
    except (LookupError, ValueError, AttributeError):
        raise ValueError('only {title} can stand in it; write one like "https://example.org/?q={title}"') from None
    return pattern


def unknown_calendars(skip: Iterable[str], calendars: Collection[str]) -> str:
    """Which of the days to skip name a calendar that is not defined ("": none does)."""
    there = ", ".join(sorted(calendars)) or "it is empty"
    return "; ".join(
        f"{name!r} is not in [calendars] ({there}){did_you_mean(name, calendars) or '; add it there'}"
        for name in sorted(calendar_names(tuple(skip)) - set(calendars))
    )


Zone = Annotated[str, AfterValidator(_known_zone)]
LocalTime = Annotated[time, BeforeValidator(_local_time)]
LocalDate = Annotated[date, BeforeValidator(_local_date)]
Days = Annotated[str, AfterValidator(canonical)]
Skip = Annotated[str, BeforeValidator(_as_text), AfterValidator(_day_to_skip)]
CalendarName = Annotated[str, AfterValidator(_calendar_name)]
Domain = Annotated[str, AfterValidator(str.lower), Field(pattern=r"^[^\s@]+$")]
PerMinute = Annotated[int, Field(ge=1)]
SecretUrl = Annotated[SecretStr, AfterValidator(exposure.secret_url)]
Secret = Annotated[SecretStr, AfterValidator(exposure.secret)]
Token = Annotated[SecretStr, AfterValidator(exposure.token)]
SiteUrl = Annotated[str, AfterValidator(exposure.site)]
Proxy = Annotated[str, AfterValidator(exposure.proxy)]
Text = Annotated[str, Field(min_length=1)]
Link = Annotated[str, AfterValidator(_link_pattern)]


class Section(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Store(Section):
    """Where everything is kept."""

    url: Text = "sqlite:///digest.db"
    wait_seconds: float = Field(default=60.0, ge=0, description="how long a second run waits for the first")
    lease_seconds: float = Field(default=300.0, gt=0, description="of silence, after which a run is taken for dead")


class Listings(Section):
    """Where listing files are, and which are taken."""

    paths: tuple[Text, ...] = ("listings",)
    settle_seconds: float = Field(default=2.0, ge=0, description="a file younger than this may still be written")
    max_megabytes: float = Field(default=50.0, gt=0)
    link: Link = "https://huggingface.co/papers?q={title}"
    fetched: Text = Field(default="listings", description="the folder for what comes from the url of a source")


class Smtp(Section):
    """A relay that takes our mail."""

    host: Text = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65535)
    socket: str = Field(default="", description="the path of a Unix socket, in place of host and port")
    protocol: Literal["smtp", "lmtp"] = "smtp"
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    connections: int = Field(default=8, ge=1, le=256, description="at most; it begins with two")
    per_minute: int = Field(default=0, ge=0, description="mails that it takes; 0: as many as it can")
    priority: int = Field(default=0, description="relays with the highest come first")
    weight: int = Field(default=1, ge=1, description="the share among relays of one priority")
    pipelining: bool = Field(default=True, description="used where the relay offers it")
    chunking: bool = Field(default=True, description="used where the relay offers it")
    depth: int = Field(default=4, ge=1, le=64, description="mails on their way at once on a connection with chunking")
    allow_plaintext: bool = Field(default=False, description="plain text to a host that is not this machine")


class Dkim(Section):
    """A key that signs our mails, and where its public half is published: SELECTOR._domainkey.DOMAIN."""

    selector: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")
    key: Text
    domain: str = Field(default="", description="that of the sender's address, if empty")


class Sender(Section):
    """Whom the mail is from."""

    address: Text
    name: Text = "Digest"
    reply_to: str = ""
    postal_address: str = ""


class Delivery(Section):
    """What to do when things go wrong on the way."""

    on_unknown: Literal["resend", "hold"] = "resend"
    retry_minutes: float = Field(default=5.0, ge=0, description="before the first retry; then longer and longer")
    processes: int = Field(default=1, ge=1, le=64, description="how many share the work of sending, and of large plans")
    per_minute: dict[Domain, PerMinute] = Field(default_factory=dict, description="mails to a recipient's domain")


class Editions(Section):
    """What a digest is like where a subscriber says nothing else."""

    name: Text = "Digest"
    templates: str = ""
    max_entries: int = Field(default=20, ge=1, le=500)
    first_days: int = Field(default=7, ge=1, description="how far back a first edition looks, and one after silence")
    skip: tuple[Skip, ...] = Field(default=(), description="days on which nobody gets one")


class Web(Section):
    """The public address of the web pages, without which mails carry no links to them; and how they are served."""

    url: SiteUrl = ""
    secrets: tuple[Secret, ...] = ()
    host: Text = "127.0.0.1"
    port: int = Field(default=8480, ge=1, le=65535)
    signups: bool = Field(default=True, description="whether strangers may subscribe")
    operator_token: Token = Field(default=SecretStr(""), description="opens the operator's pages; none: none there")
    trusted_proxies: tuple[Proxy, ...] = Field(default=(), description="whose X-Forwarded-For is believed")
    hsts_seconds: int = Field(default=0, ge=0, description="for which browsers are told to use https only")
    letters_per_hour: int = Field(default=500, ge=1, description="mails to confirm and to sign in, to all together")

    @model_validator(mode="after")
    def _signed(self) -> Web:
        if self.url and not self.secrets:
            raise ValueError(f'a web address needs a secret to sign its links: secrets = ["..."]; {exposure.MAKE_ONE}')
        return self


class Serve(Section):
    """How `digest serve` is asked how it is, what it writes, and how it ends."""

    host: Text = "127.0.0.1"
    port: int = Field(default=8470, ge=0, le=65535, description="0: no endpoint")
    logs: Literal["auto", "json", "pretty"] = "auto"
    level: Literal["debug", "info", "warning"] = "info"
    drain_seconds: float = Field(default=30.0, ge=0, description="how long it may finish what is under way")


class Alarms(Section):
    """Whom to tell that something is broken, and from when on it is."""

    to: tuple[Text, ...] = ()
    heartbeat: SecretUrl = SecretStr("")
    overdue_minutes: float = Field(default=30.0, gt=0, description="without any run that did something")
    failures_percent: float = Field(default=5.0, ge=0, le=100, description="of the last day's editions")
    stale_days: float = Field(default=4.0, ge=0, description="without new entries from a source; 0: never mind")
    relay_minutes: float = Field(default=15.0, ge=0, description="of a relay that takes nothing")


class ProfileTable(Section):
    """One named list of keywords."""

    name: Text = "Digest"
    keywords: tuple[Text, ...] = Field(min_length=1)
    match: MatchMode = "near"
    capitals: bool = True

    def profile(self) -> Profile:
        """The profile as the pipeline knows it."""
        return Profile(self.name, tuple(dict.fromkeys(self.keywords)), self.match, self.capitals)


class SubscriberTable(Section):
    """One person, written straight into the configuration: `keywords`, or several `profiles`."""

    email: Text
    name: str = ""
    zone: Zone = "UTC"
    send_at: LocalTime | None = None
    days: Days = "daily"
    min_matches: int = Field(default=1, ge=1, le=500)
    max_entries: int | None = Field(default=None, ge=1, le=500)
    paused_until: LocalDate | None = None
    skip: tuple[Skip, ...] = ()
    updates: bool = False
    keywords: tuple[Text, ...] = ()
    match: MatchMode = "near"
    capitals: bool = True
    profiles: tuple[ProfileTable, ...] = ()

    @model_validator(mode="after")
    def _wants_something(self) -> SubscriberTable:
        if bool(self.keywords) == bool(self.profiles):
            raise ValueError("a subscriber has either keywords = [...] or [[subscribers.profiles]], one of the two")
        return self

    def misfits(self, max_entries: int, calendars: Collection[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with it beside the rest of the configuration: the key and the fault."""
        if self.min_matches > (most := self.max_entries or max_entries):
            yield "min_matches", f"{self.min_matches} is more than max_entries, {most}; lower it, or raise max_entries"
        if unknown := unknown_calendars(self.skip, calendars):
            yield "skip", unknown

    def subscriber(self, max_entries: int) -> Subscriber:
        """The subscriber as the pipeline knows it; `max_entries` where none is set."""
        tables = self.profiles or (ProfileTable(keywords=self.keywords, match=self.match, capitals=self.capitals),)
        return Subscriber(
            self.email,
            tuple(table.profile() for table in tables),
            self.name,
            Cadence(self.days, self.send_at, self.zone),
            self.min_matches,
            self.max_entries or max_entries,
            self.paused_until,
            tuple(dict.fromkeys(self.skip)),
            self.updates,
        )
