"""The sections of the configuration: every setting with its type, bounds and default."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from digest.model import MatchMode, Profile, Subscriber


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to end a message with, if a known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


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


Zone = Annotated[str, AfterValidator(_known_zone)]
LocalTime = Annotated[time, BeforeValidator(_local_time)]
Text = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Store(_Section):
    """Where everything is kept."""

    url: Text = "sqlite:///digest.db"
    wait_seconds: float = Field(default=60.0, ge=0, description="how long a second run waits for the first")


class Listings(_Section):
    """Where listing files are, and which are taken."""

    paths: tuple[Text, ...] = ("listings",)
    settle_seconds: float = Field(default=2.0, ge=0, description="a file younger than this may still be written")
    max_megabytes: float = Field(default=50.0, gt=0)
    link: str = "https://huggingface.co/papers?q={title}"


class Smtp(_Section):
    """The relay that takes our mail."""

    host: Text = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    connections: int = Field(default=4, ge=1, le=256)
    allow_plaintext: bool = Field(default=False, description="plain text to a host that is not this machine")


class Sender(_Section):
    """Whom the mail is from."""

    address: Text
    name: Text = "Digest"
    reply_to: str = ""
    postal_address: str = ""


class Delivery(_Section):
    """What to do when things go wrong on the way."""

    on_unknown: Literal["resend", "hold"] = "resend"
    retry_minutes: float = Field(default=5.0, ge=0)


class Editions(_Section):
    """What a digest is like where a subscriber says nothing else."""

    name: Text = "Digest"
    templates: str = ""
    max_entries: int = Field(default=20, ge=1, le=500)
    first_days: int = Field(default=7, ge=1, description="how far back a first edition looks, and one after silence")


class Web(_Section):
    """The public address of the web pages; without one, mails carry no links to them."""

    url: str = Field(default="", pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")
    secrets: tuple[SecretStr, ...] = ()

    @model_validator(mode="after")
    def _signed(self) -> Web:
        if self.url and not self.secrets:
            raise ValueError('a web address needs a secret to sign its links: add secrets = ["a long random text"]')
        return self


class ProfileTable(_Section):
    """One named list of keywords."""

    name: Text = "Digest"
    keywords: tuple[Text, ...] = Field(min_length=1)
    match: MatchMode = "near"
    capitals: bool = True

    def profile(self) -> Profile:
        """The profile as the pipeline knows it."""
        return Profile(self.name, tuple(dict.fromkeys(self.keywords)), self.match, self.capitals)


class SubscriberTable(_Section):
    """One person, written straight into the configuration: `keywords`, or several `profiles`."""

    email: Text
    name: str = ""
    zone: Zone = "UTC"
    send_at: LocalTime | None = None
    max_entries: int | None = Field(default=None, ge=1, le=500)
    keywords: tuple[Text, ...] = ()
    match: MatchMode = "near"
    capitals: bool = True
    profiles: tuple[ProfileTable, ...] = ()

    @model_validator(mode="after")
    def _wants_something(self) -> SubscriberTable:
        if bool(self.keywords) == bool(self.profiles):
            raise ValueError("a subscriber has either keywords = [...] or [[subscribers.profiles]], one of the two")
        return self

    def subscriber(self, max_entries: int) -> Subscriber:
        """The subscriber as the pipeline knows it; `max_entries` where none is set."""
        tables = self.profiles or (ProfileTable(keywords=self.keywords, match=self.match, capitals=self.capitals),)
        profiles = tuple(table.profile() for table in tables)
        return Subscriber(self.email, profiles, self.name, self.zone, self.send_at, self.max_entries or max_entries)
