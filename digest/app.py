"""The composition root: a configuration becomes the objects of the pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from digest import fetch
from digest import sources as sources_of
from digest.alarms import Limits
from digest.calendars import Calendars
from digest.choosing import Ready
from digest.config import Config
from digest.delivery.address import ascii_domain, identity
from digest.delivery.message import Sender
from digest.delivery.sender import Report, Terms
from digest.errors import ConfigError, UsageError
from digest.faults import relays_of, sound
from digest.intake import Intake
from digest.pipeline import Clock, Crew, Dispatch, Going, Pipeline, unhindered
from digest.planning import Policy
from digest.press import Press
from digest.rendering.edition import Renderer, Site
from digest.report import Loaded, Planned, RunReport, Watch
from digest.silence import why_nothing
from digest.store import dues, runs, sources
from digest.store.ledger import StoreLedger
from digest.store.store import Store, open_store
from digest.store.subscribers import Named
from digest.watchdog import Watchdog

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from digest.crew import Share
    from digest.web.desk import Desk
    from digest.web.postman import Postman

PATIENCE = 50.0
"""Seconds: with a run a minute, the next one takes over."""
_DAY = 86_400
Asking = Literal["due", "all", "none"]


@dataclass(frozen=True)
class App:
    """The program, built from one configuration. `clock` is the only clock there is.

    `inbox` is the folder of a demo's mails, for a page that shows them. `given`: absolute paths of listings in place
    of those configured. `asking`: which sources with an address are fetched, those that are due, all, or none.
    """

    config: Config
    store: Store
    clock: Clock
    inbox: Path | None = None
    given: tuple[Path, ...] = ()
    asking: Asking = "due"

    @cached_property
    def press(self) -> Press:
        """What makes messages. Raises TemplateError, before anything is sent."""
        sender, editions, web = self.config.sender, self.config.editions, self.config.web
        secrets = tuple(secret.get_secret_value() for secret in web.secrets)
        return Press(
            Renderer(self._own_templates, self._site),
            Sender(sender.address, sender.name, list_name=editions.name, reply_to=sender.reply_to, help_url=web.url),
            web.url,
            secrets,
            self._signed,
        )

    @property
    def _site(self) -> Site:
        sender, name = self.config.sender, self.config.editions.name
        return Site(sender.reply_to or sender.address, name, self.config.web.url, sender.postal_address)

    @property
    def _own_templates(self) -> Path | None:
        """The operator's own folder of templates."""
        folder = self.config.editions.templates
        return self.config.path(folder) if folder else None

    @property
    def _signed(self) -> Callable[[bytes, Sequence[bytes], int], bytes] | None:
        """What signs messages, if there are keys. Raises ConfigError."""
        if not self.config.dkim:
            return None
        from digest.delivery import dkim  # noqa: PLC0415 (its library is an extra)

        domain = self.config.sender.address.rpartition("@")[2]
        keys = [(one, dkim.read_key(self.config.path(one.key))) for one in self.config.dkim]
        return partial(dkim.sign, tuple(dkim.signer(one.domain or domain, one.selector, key) for one, key in keys))

    @cached_property
    def dispatch(self) -> Dispatch:
        """How mail is handed over."""
        delivery = self.config.delivery
        relays = relays_of(self.config)
        per_minute = {("domain", ascii_domain(domain)): float(rate) for domain, rate in delivery.per_minute.items()}
        per_minute |= {("relay", str(relay)): float(relay.per_minute) for relay in relays if relay.per_minute}
        resend = delivery.on_unknown == "resend"
        retry_seconds = int(delivery.retry_minutes * 60)
        terms = Terms(relays, self.config.sender.address, retry_seconds, per_minute, ahead=resend)
        # Other processes have the system's clock only.
        several = delivery.processes > 1 and self.clock is system_clock
        return Dispatch(terms, resend, self._crew if several else None)

    @property
    def _crew(self) -> Crew:
        from digest.crew import Processes  # noqa: PLC0415 (most have one process)

        file = self.config.file
        return Processes(self.config.delivery.processes, partial(deliver_share, file), partial(plan_share, file))

    @cached_property
    def pipeline(self) -> Pipeline:
        """The three verbs."""
        editions, settle_seconds = self.config.editions, self.config.listings.settle_seconds
        named = sources_of.elsewhere(self.config, self.given) if self.given else sources_of.configured(self.config)
        people = [table.subscriber(editions.max_entries) for table in self.config.subscribers]
        return Pipeline(
            self.store,
            self.clock,
            Intake(named, settle_seconds),
            [Named(identity(person.email), person) for person in people],
            Policy(editions.first_days, self._stale_seconds, editions.skip, self._calendars.days),
            () if self.asking == "none" else sources_of.remotes(self.config),
            early=self.asking == "all",
        )

    @cached_property
    def _calendars(self) -> Calendars:
        return Calendars({name: self.config.path(path) for name, path in self.config.calendars.items()})

    @cached_property
    def watchdog(self) -> Watchdog:
        """What looks for trouble, and tells the operator."""
        alarms = self.config.alarms
        limits = Limits(
            alarms.overdue_minutes * 60, alarms.failures_percent, self._stale_seconds, alarms.relay_minutes * 60
        )
        watched, relays = sources_of.watched(self.config), self.dispatch.terms.relays
        return Watchdog(self.store, self.clock, limits, watched, relays, self.press.sender, alarms.to)

    @property
    def _stale_seconds(self) -> int:
        return int(self.config.alarms.stale_days * _DAY)

    def lock(self) -> AbstractContextManager[None]:
        """Held while the database is worked on. Raises BusyError if another run keeps it too long."""
        return self.store.lock(self.config.store.wait_seconds, self._abandoned)

    def _abandoned(self) -> bool:
        """Whether the run at work has been silent for so long that it is taken for dead; if not, it is fenced off."""
        with self.store.read() as connection:
            silent_since = runs.silent_since(connection)
        return silent_since is not None and self.clock() - silent_since > self.config.store.lease_seconds

    def reading(self, paths: Sequence[Path]) -> App:
        """The same program, with listing files from elsewhere, and none fetched."""
        return replace(self, given=tuple(path.absolute() for path in paths), asking="none")

    def fetching(self, early: bool | None) -> App:
        """The same program that fetches every source with an address, due or not (None: the due), or none (False)."""
        return replace(self, asking="due" if early is None else "all" if early else "none")

    @contextmanager
    def rehearsal(self) -> Iterator[App]:
        """The same program on a database that forgets everything at the end; it fetches nothing."""
        with self.store.rehearsal() as store:
            yield App(self.config, store, self.clock, asking="none")

    def run(self, watch: Watch | None = None, going: Going = unhindered, patience: float = PATIENCE) -> RunReport:
        """Load, plan and deliver. Raises BusyError if another run is at work for too long.

        `patience`: for how many seconds to wait for mails that our own limits keep back.
        """
        self.prove()
        with self.lock():
            report = self.pipeline.run(self.press, self.dispatch, watch, going, patience)
            if not (report.delivered.states or report.delivered.relay_error or report.delivered.paused or report.left):
                report = replace(report, reason=self.why_nothing(report.loaded, report.planned))
            self.pipeline.finish(report)
        return replace(report, untold=self.watchdog.after_run())

    def prove(self) -> None:
        """Show faults in templates, calendars and settings before anything is done. Raises DigestError."""
        _ = self.press, self.dispatch, self._calendars.days(self.clock())
        fetch.prove(self.pipeline.remotes)

    def look(self) -> tuple[str, ...]:
        """Look whether runs are overdue, and tell the operator; return in words all that is broken."""
        return self.watchdog.look()

    def waiting(self) -> int:
        """How many editions may be sent now."""
        return self.pipeline.waiting()

    def sources(self) -> Mapping[str, int | None]:
        """When the newest file with entries came from each configured source, in epoch seconds (None: never)."""
        with self.store.read() as connection:
            states = sources.states(connection, self.watchdog.sources)
        return {state.source.label: state.newest_at for state in states}

    def web(self, ring: Callable[[], None] = lambda: None) -> ASGIApp:
        """The web pages. `ring` is called when somebody new may be due.

        Raises ConfigError without web.url, UsageError without the extra.
        """
        try:
            import python_multipart  # noqa: F401, PLC0415 (forms need it, and would only say so when posted)

            from digest.web import inbox  # noqa: PLC0415
            from digest.web.application import application  # noqa: PLC0415 (its libraries are an extra)
            from digest.web.site import pages  # noqa: PLC0415
            from digest.web.warmth import Warmth  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise UsageError(f'the web pages need {error.name}: pip install "email-digest[web]"') from None
        if not self.config.web.url:
            where = self.config.where(("web", "url"))
            raise ConfigError(f'{where}: the web pages need their public address: url = "https://digest.example.org"')
        postman = self._postman()
        caught = inbox.pages(self.inbox) if self.inbox else ()
        desk = self._desk(ring, postman.ring, inbox.PATH if caught else "")
        return application(desk, (*pages(desk.web), *caught), [postman.run, Warmth(desk.trials, self.clock).run])

    def _desk(self, ring: Callable[[], None], post: Callable[[], None], inbox: str) -> Desk:
        """What the pages work with; `inbox` is where a demo shows its mails, below the site's address."""
        from digest.backtest import Trials  # noqa: PLC0415 (as above)
        from digest.web.desk import Desk  # noqa: PLC0415
        from digest.web.pages import Pages  # noqa: PLC0415

        web = self.config.web
        base = urlsplit(web.url).path.rstrip("/")
        return Desk(
            self.store,
            self.clock,
            self.press,
            Pages(self._own_templates, self._site, base, signups=web.signups, inbox=inbox and base + inbox),
            Trials(self.store),
            web,
            self.config.editions,
            frozenset(self.config.calendars),
            self.watchdog.sources,
            self._stale_seconds,
            ring,
            post,
        )

    def _postman(self) -> Postman:
        """What sends letters. Raises TemplateError."""
        from digest.letters import Letters  # noqa: PLC0415 (only the pages have letters sent)
        from digest.web.postman import Postman  # noqa: PLC0415

        letters, terms = Letters(self.press, self._own_templates, self._site), self.dispatch.terms
        return Postman(self.store, self.clock, letters, terms.relays, terms.mail_from)

    def watched(self) -> tuple[Path, ...]:
        """The configured folders that are there; beside files and globs anything may change: the tick has them."""
        return tuple(dict.fromkeys(path for path in self.pipeline.intake.paths if path.is_dir()))

    def why_nothing(self, loaded: Loaded, planned: Planned) -> str:
        """Why there was nothing to send, after these two."""
        return why_nothing(self.pipeline, self.config.file, loaded, planned)


def system_clock() -> int:
    """Now, in epoch seconds."""
    return int(time.time())


def deliver_share(file: Path, share: Share) -> Report:
    """Send one process's share of the editions that wait."""
    from digest.crew import divided  # noqa: PLC0415 (most have one process)

    with opened(file) as app:
        ledger = StoreLedger(app.store, app.clock, share.run, share.number, share.of)
        dispatch = replace(app.dispatch, terms=divided(app.dispatch.terms, share.of))
        return app.pipeline.deliver(app.press, dispatch, ledger, share.watch, share.going)


def plan_share(file: Path, now: int, share: Share) -> Planned:
    """Plan one process's share of those who are due."""
    with opened(file) as app:
        return app.pipeline.plan_share(now, share.going, share.run, Ready(), dues.Share(share.number, share.of))


@contextmanager
def opened(file: Path, clock: Clock = system_clock) -> Iterator[App]:
    """The program for a configuration file. Raises ConfigError with every fault in it."""
    config = sound(file)
    store = open_store(config.store.url, config.folder)
    try:
        yield App(config, store, clock)
    finally:
        store.close()
