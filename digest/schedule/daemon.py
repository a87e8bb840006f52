"""The daemon: a bell, and one worker that runs the pipeline when it rings.

Rules
-----
1. The minute's tick and a new file ring the same bell. Runs never overlap; rings during a run make one more run.
2. No error of a run ends the daemon: it is logged, counted, and told to the heartbeat.
3. SIGTERM or SIGINT: no edition is begun any more, those on their way end, exit 0. After serve.drain_seconds, or at a
   second signal, it leaves at once; the next start knows what was on its way as `unknown`.
4. SIGHUP: between two runs the new configuration is opened, listening included, before the old one is closed. One with
   a fault is refused whole, and the old one stays.
5. The web pages, where they are wanted, ring the bell, too: who has just confirmed does not wait for the minute. They
   answer to the end of the last run, and change over with the configuration.
6. What may hang has a thread of its own: the run, the look for what is overdue, the database's answer, the heartbeat.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC
from typing import Any, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from digest import __version__
from digest.errors import DigestError
from digest.heartbeat import Heartbeat
from digest.schedule import logs
from digest.schedule.doors import Address, Door, Doors
from digest.schedule.health import Health
from digest.schedule.http import OWN, PUBLIC, application
from digest.schedule.metrics import Metrics
from digest.schedule.notify import Notifier
from digest.schedule.pages import Pages, living
from digest.schedule.program import Opening, Program
from digest.schedule.run import Ran, Runner
from digest.schedule.watch import FolderWatch

T = TypeVar("T")
_log = logs.logger("digest.daemon")
_LOOK_SECONDS = 60
_LONGEST_SILENCE = 90
"""Seconds after which the worker goes without the bell: the scheduler waits if the system's clock is set back."""
_ANSWER_SECONDS = 5


class Daemon:
    """Runs the program that `opening` gives, until it is told to stop; `environment` is the process's.

    `web`: with its web pages. `started` is called when it listens.
    """

    def __init__(
        self,
        opening: Opening,
        clock: Callable[[], int],
        environment: Mapping[str, str],
        *,
        web: bool = False,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        self._open, self._web, self._started = opening, web, started
        self._notifier = Notifier(environment)
        self._health, self._metrics = Health(), Metrics(clock)
        self._runner = Runner(self._metrics, self._health)
        self._bell, self._stopping = asyncio.Event(), threading.Event()
        self._watch = FolderWatch(self._bell.set)
        self._lanes = {name: ThreadPoolExecutor(1, name) for name in ("run", "look", "database", "heartbeat")}
        self._program: Program
        self._loop: asyncio.AbstractEventLoop
        self._stack = AsyncExitStack()
        self._pages = Pages()
        own = application(self._health, self._metrics, self._database)
        self._doors = Doors({"serve": Door(own, OWN), "web": Door(self._pages, PUBLIC)})
        self._heartbeat = Heartbeat("")
        self._beats: set[asyncio.Task[None]] = set()
        self._incidents: tuple[str, ...] = ()
        self._reload_wanted = False
        self._drain_seconds = 0.0

    async def serve(self) -> None:
        """Run until told to stop. Raises DigestError if the first configuration cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._heed_signals()
        await self._take_up()
        helpers = [asyncio.create_task(self._look_on()), asyncio.create_task(self._tell_alive())]
        scheduler = every_minute(self._ring)
        scheduler.start()
        _log.info("started", version=__version__, pid=os.getpid())
        self._started()
        self._notifier.ready("started")
        try:
            await self._work()
        finally:
            scheduler.shutdown(wait=False)
            for helper in helpers:
                helper.cancel()
            await self._close()

    async def _work(self) -> None:
        self._bell.set()
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), _LONGEST_SILENCE)
            self._bell.clear()
            if self._reload_wanted:
                await self._reload()
            if not self._stopping.is_set():
                await self._run()

    async def _run(self) -> None:
        try:
            await self._watch.look_at(await self._call("run", self._program.watched))
        except Exception:  # noqa: BLE001 (rule 2)
            _log.exception("folders cannot be watched")
        ran = await self._call("run", self._runner.run, self._program, self._going)
        self._notifier.status(f"last run: {ran.words}")
        if ran.result != "busy":
            beat = asyncio.create_task(self._beat(ran))
            self._beats.add(beat)
            beat.add_done_callback(self._beats.discard)

    async def _beat(self, ran: Ran) -> None:
        if fault := await self._call("heartbeat", self._heartbeat.tell, ran.failure):
            _log.warning("heartbeat failed", reason=fault)

    def _going(self) -> bool:
        return not self._stopping.is_set()

    async def _ring(self) -> None:
        self._bell.set()

    def _ring_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._bell.set)

    async def _take_up(self) -> None:
        """Go over to the configuration as it is now. Raises what is wrong with it, and then nothing has changed."""
        stack = AsyncExitStack()
        try:
            program = await self._call("run", lambda: stack.enter_context(self._open()))
            serve, web = program.config.serve, program.config.web
            addresses = {"serve": Address(serve.host, serve.port)}
            if self._web:
                pages = await stack.enter_async_context(living(program.web(self._ring_from_thread)))
                addresses["web"] = Address(web.host, web.port)
            await self._doors.move(addresses)
        except BaseException:
            await stack.aclose()
            raise
        logs.configure(serve.logs, serve.level)
        if self._web:
            self._pages.take_up(pages)
            _log.info("pages", url=web.url, host=web.host, port=web.port)
        self._heartbeat = Heartbeat(program.config.alarms.heartbeat.get_secret_value())
        self._drain_seconds = serve.drain_seconds
        old, self._stack, self._program = self._stack, stack, program
        await old.aclose()

    async def _reload(self) -> None:
        self._reload_wanted = False
        refused = "the new configuration is refused; the old one stays"
        try:
            await self._take_up()
        except DigestError as error:
            _log.error(refused, reason=str(error))
        except Exception:  # noqa: BLE001 (of whatever kind: the old one works)
            _log.exception(refused)
        else:
            _log.info("configuration reloaded")
        self._notifier.ready()

    async def _look_on(self) -> None:
        """Once a minute, whatever the run does, have somebody look for what is overdue."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                self._tell_incidents(await self._call("look", self._program.look))
            except DigestError as error:
                _log.error("what is overdue cannot be told", reason=str(error))
            except Exception:  # noqa: BLE001 (rule 2)
                _log.exception("what is overdue cannot be told")

    def _tell_incidents(self, words: tuple[str, ...]) -> None:
        for incident in words:
            if incident not in self._incidents:
                _log.warning("incident", about=incident)
        if self._incidents and not words:
            _log.info("no incident is open any more")
        self._incidents = words
        self._metrics.incidents(len(words))

    async def _tell_alive(self) -> None:
        """Keep systemd's watchdog quiet while the worker gets somewhere."""
        while seconds := self._notifier.watchdog_seconds:
            if not self._health.stalled():
                self._notifier.alive()
            await asyncio.sleep(seconds)

    async def _database(self) -> str:
        """Why the database does not answer ("": it does)."""
        try:
            await asyncio.wait_for(self._call("database", self._program.waiting), _ANSWER_SECONDS)
        except Exception as error:  # noqa: BLE001 (whatever it is, we are not ready)
            _log.warning("the database does not answer", reason=str(error) or type(error).__name__)
            return "the database does not answer"
        return ""

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)

    def _on_reload(self) -> None:
        self._notifier.reloading()
        self._reload_wanted = True
        self._bell.set()

    def _on_stop(self) -> None:
        if self._stopping.is_set():
            _leave("told to stop a second time")
        _log.info("stopping; what is on its way ends first")
        self._notifier.stopping()
        self._health.draining()
        self._stopping.set()
        self._bell.set()
        # A thread, which outlives the loop: nothing that hangs, here or at the interpreter's end, keeps us for longer.
        patience = threading.Timer(self._drain_seconds, _leave, ["it took too long to stop"])
        patience.daemon = True
        patience.start()

    async def _close(self) -> None:
        await asyncio.gather(*self._beats, return_exceptions=True)
        await self._watch.close()
        await self._doors.close()
        for lane in self._lanes.values():
            lane.shutdown(wait=False)
        await self._stack.aclose()
        _log.info("stopped")

    async def _call(self, lane: str, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._lanes[lane], function, *arguments)


def every_minute(ring: Callable[[], Any]) -> AsyncIOScheduler:
    """The tick: one job that rings, and nothing else."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    minute = CronTrigger(minute="*", timezone=UTC)
    scheduler.add_job(ring, minute, coalesce=True, max_instances=1, misfire_grace_time=None)
    return scheduler


def _leave(reason: str) -> None:
    """End the process as it stands; the database knows what was on its way."""
    _log.warning("left at once; an edition on its way is unknown to the next start", reason=reason)
    os._exit(0)
