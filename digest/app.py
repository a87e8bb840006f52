"""The composition root: a configuration becomes the objects of the pipeline, and `run` is what one tick does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from digest import config as configuration
from digest import look, pipeline
from digest.config import Config
from digest.delivery.address import identity, parse_address
from digest.delivery.message import Sender
from digest.delivery.relay import Relay
from digest.delivery.sender import Report
from digest.errors import ConfigError, MessageError, UsageError
from digest.model import Outcome, State
from digest.pipeline import Dispatch, Intake, Loaded, Planned, Recovered
from digest.press import Press
from digest.profiles import check
from digest.rendering.edition import Renderer, Site
from digest.store import editions, runs, subscribers
from digest.store.store import Store, open_store
from digest.store.subscribers import Named

_TWO_DAYS = 2 * 86_400
Clock = Callable[[], int]
"""Gives epoch seconds."""


class Watch(Protocol):
    """Somebody who looks on while a run delivers."""

    def expect(self, editions: int) -> None:
        """Take note of how many editions there are to send."""

    def outcome(self, outcome: Outcome) -> None:
        """Take note of what became of one."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did, and why nothing was sent if nothing was."""

    loaded: Loaded
    planned: Planned
    delivered: Report = field(default_factory=Report)
    recovered: Recovered = field(default_factory=Recovered)
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether something went wrong that somebody should hear of."""
        unsent = any(self.delivered.states[state] for state in (State.DEFERRED, State.FAILED, State.UNKNOWN))
        lost = self.recovered.held or self.delivered.relay_error
        return bool(self.loaded.troubled or self.planned.failed or unsent or lost)

    def counts(self) -> dict[str, int | str]:
        """The figures of `digest run --json`."""
        states = self.delivered.states
        return {
            "loaded": self.loaded.new_entries,
            "planned": self.planned.planned,
            "sent": states[State.SENT],
            "deferred": states[State.DEFERRED],
            "failed": states[State.FAILED] + len(self.planned.failed),
            "unknown": states[State.UNKNOWN] + self.recovered.held,
            "empty": self.planned.empty,
            "suppressed": self.recovered.suppressed + self.delivered.refused,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class App:
    """The program, built from one configuration. `clock` is the only clock there is."""

    config: Config
    store: Store
    clock: Clock

    @cached_property
    def press(self) -> Press:
        """What makes messages. Raises TemplateError, before anything is sent."""
        sender, editions, web = self.config.sender, self.config.editions, self.config.web
        templates = self.config.path(editions.templates) if editions.templates else None
        site = Site(sender.reply_to or sender.address, editions.name, web.url, sender.postal_address)
        secrets = tuple(secret.get_secret_value() for secret in web.secrets)
        return Press(
            Renderer(templates, site),
            Sender(sender.address, sender.name, list_name=editions.name, reply_to=sender.reply_to),
            web.url,
            secrets,
        )

    @cached_property
    def dispatch(self) -> Dispatch:
        """How mail is handed over."""
        delivery = self.config.delivery
        return Dispatch(_relay(self.config), int(delivery.retry_minutes * 60), delivery.on_unknown == "resend")

    @cached_property
    def intake(self) -> Intake:
        """Where listing files are."""
        listings = self.config.listings
        paths = tuple(self.config.path(path) for path in listings.paths)
        return Intake(paths, listings.settle_seconds, int(listings.max_megabytes * 1_000_000), listings.link)

    def lock(self) -> AbstractContextManager[None]:
        """Held while the database is worked on. Raises BusyError if another run keeps it too long."""
        return self.store.lock(self.config.store.wait_seconds)

    def reading(self, paths: Sequence[Path]) -> App:
        """The same program, with listing files from elsewhere."""
        listings = self.config.listings.model_copy(update={"paths": tuple(str(path.absolute()) for path in paths)})
        return App(self.config.model_copy(update={"listings": listings}), self.store, self.clock)

    @contextmanager
    def rehearsal(self) -> Iterator[App]:
        """The same program on a database that forgets everything at the end."""
        with self.store.rehearsal() as store:
            yield App(self.config, store, self.clock)

    def load(self) -> Loaded:
        """Load new listing files; one that is still being written gets a moment to settle."""
        loaded = pipeline.load(self.store, self.intake, self.now())
        if not loaded.waiting:
            return loaded
        time.sleep(self.intake.settle_seconds + 1)  # the clock counts whole seconds
        return loaded.then(pipeline.load(self.store, self.intake, self.now()))

    def now(self) -> datetime:
        """The time by the clock, in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def plan(self) -> Planned:
        """Bring the configured subscribers into the database, and plan everybody's edition that is due."""
        self.enrol()
        return pipeline.plan(self.store, self.clock(), self.config.editions.first_days)

    def enrol(self) -> None:
        """Bring the database's subscribers into step with [[subscribers]] of the configuration."""
        named = named_subscribers(self.config)
        with self.store.write() as connection:
            subscribers.put(connection, named, self.clock(), self.config.editions.first_days, configured=True)
            subscribers.drop_configured(connection, [one.identity for one in named])

    def run(self, watch: Watch | None = None) -> RunReport:
        """Load, plan and deliver."""
        press, dispatch = self.press, self.dispatch  # faults in templates or settings show before anything is done
        started = self.clock()
        with self.lock():
            loaded = self.load()
            planned = self.plan()
            recovered = pipeline.recover(self.store, self.clock(), resend_unknown=dispatch.resend_unknown)
            if watch:
                watch.expect(look.count_waiting(self.store, self.clock()))
            on_outcome = watch.outcome if watch else None
            delivered = asyncio.run(pipeline.deliver(self.store, press, dispatch, self.clock, on_outcome))
            sent_nothing = not delivered.states and not delivered.relay_error
            report = RunReport(
                loaded, planned, delivered, recovered, self.why_nothing(loaded, planned) if sent_nothing else ""
            )
            with self.store.write() as connection:
                runs.record(connection, started, self.clock(), report.counts())
        return report

    def why_nothing(self, loaded: Loaded, planned: Planned) -> str:
        """Why there was nothing to send."""
        with self.store.read() as connection:
            people, next_due = subscribers.count(connection), subscribers.next_due(connection)
            deferred = editions.count_deferred(connection)
        if not people:
            return (
                f"there are no subscribers; add [[subscribers]] to {self.config.file}, or run: digest subscribers add"
            )
        if deferred:
            return f"the relay deferred what is left (editions: {deferred:,}); it is tried again later"
        if not planned.due:
            when = datetime.fromtimestamp(next_due or 0, UTC).isoformat(" ", "minutes").removesuffix("+00:00")
            late = (next_due or 0) - self.clock() > _TWO_DAYS
            doubt = "; an edition lies in the future: was the clock wrong at a run?" if late else ""
            return (
                "nobody is due: today's editions are sent, or wait for a send time; "
                f"the next is due at {when} UTC{doubt}"
            )
        return self._why_unsent(loaded, planned)

    def _why_unsent(self, loaded: Loaded, planned: Planned) -> str:
        """Why there was nothing for those who are due."""
        if planned.failed:
            return f"no edition could be made (subscribers: {len(planned.failed):,})"
        if planned.planned:
            return "those who would have got an edition have unsubscribed"
        if planned.window:
            return f"nothing matched (new entries: {planned.window:,}, subscribers due: {planned.due:,})"
        waiting = f"; {len(loaded.waiting)} still being written" if loaded.waiting else ""
        return f"no new file in {', '.join(map(str, self.intake.paths))}{waiting}"


def system_clock() -> int:
    """Now, in epoch seconds."""
    return int(time.time())


@contextmanager
def opened(file: Path, clock: Clock = system_clock) -> Iterator[App]:
    """The program for a configuration file. Raises ConfigError with every fault in it."""
    config = configuration.load(file)
    faults = list(_faults(config))
    if faults:
        raise ConfigError("\n".join(faults))
    store = open_store(config.store.url, config.folder)
    try:
        yield App(config, store, clock)
    finally:
        store.close()


def named_subscribers(config: Config) -> list[Named]:
    """The subscribers in the configuration, with their identities."""
    people = [table.subscriber(config.editions.max_entries) for table in config.subscribers]
    return [Named(identity(person.email), person) for person in people]


def _relay(config: Config) -> Relay:
    """The relay as configured. Raises UsageError for plain text over a network."""
    smtp = config.smtp
    return Relay(
        smtp.host,
        smtp.port,
        smtp.tls,
        smtp.username,
        smtp.password,
        smtp.connections,
        ca_file=str(config.path(smtp.ca_file)) if smtp.ca_file else None,
        allow_plaintext=smtp.allow_plaintext,
    )


def _faults(config: Config) -> Iterator[str]:
    """What only other rooms can tell of it: plain text over a network, bad addresses and keywords, one person twice."""
    try:
        _relay(config)
    except UsageError as error:
        yield f"{config.where(('smtp', 'tls'))}: {error}"
    seen: set[str] = set()
    for key, address in (("address", config.sender.address), ("reply_to", config.sender.reply_to)):
        if address and (fault := address_fault(address)):
            yield f"{config.where(('sender', key))}: {fault}"
    for number, table in enumerate(config.subscribers):
        place = ("subscribers", number)
        if fault := address_fault(table.email):
            yield f"{config.where((*place, 'email'))}: {fault}"
        elif identity(table.email) in seen:
            twice = f"{table.email} stands here twice; give one subscriber several profiles"
            yield f"{config.where((*place, 'email'))}: {twice}"
        else:
            seen.add(identity(table.email))
        several = bool(table.profiles)
        for index, profile in enumerate(table.subscriber(1).profiles):
            where = (*place, "profiles", index, "keywords") if several else (*place, "keywords")
            yield from (f"{config.where(where, fault.keyword)}: {fault}" for fault in check(profile))


def address_fault(address: str) -> str:
    """Why mail cannot be sent to an address ("": it can)."""
    try:
        identity(parse_address(address))
    except (UsageError, MessageError) as error:
        return str(error)
    return ""
