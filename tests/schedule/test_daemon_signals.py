"""Signals to `digest serve`, and what becomes of mails on their way."""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import PATIENCE, PEOPLE, Site, free_port, opened, until
from workplace import ADA, BAO, Mails, Workplace, paper

from digest.model import State

pytestmark = pytest.mark.slow


@pytest.fixture
def site(place: Workplace) -> Iterator[Site]:
    """A folder to start daemons in."""
    with opened(place) as there:
        yield there


def test_sigterm_ends_what_is_on_its_way(site: Site, mails: Mails) -> None:
    """No other edition is begun; the next start sends the rest, and nothing comes twice."""
    site.configure(*PEOPLE, smtp="connections = 1")
    site.place.listing("a.jsonl", [paper("Reward models")])
    served = site.start()

    def slowly() -> None:
        if len(mails.kept) == 2:
            served.signal(signal.SIGTERM)
            served.logged("stopping; what is on its way ends first")
            assert served.ask("/ready")[0] == 503

    mails.on_mail = slowly
    assert served.ended() == 0
    assert served.logged("stopped")
    assert len(mails.kept) == 2
    assert site.place.states() == {State.SENT: 2, State.PLANNED: 4}
    again = site.start()
    until(lambda: len(mails.kept) >= 6, "the others' mails")
    again.ran()
    assert again.stop() == 0
    assert Counter(email for email, _ in mails.kept) == dict.fromkeys(PEOPLE, 1)


@pytest.mark.parametrize(("drain", "signals"), [("0.2", 1), ("600", 2)])
def test_a_relay_that_never_answers_does_not_keep_it(site: Site, mails: Mails, drain: str, signals: int) -> None:
    """After drain_seconds, or at a second SIGTERM, it leaves; what was on its way is unknown to the next start."""
    site.configure(ADA, serve=f"drain_seconds = {drain}", more='[delivery]\non_unknown = "hold"\n')
    site.place.listing("a.jsonl", [paper("Reward models")])
    served, gone = site.start(), threading.Event()

    def never() -> None:
        gone.wait(PATIENCE)

    mails.on_mail = never
    until(lambda: mails.kept, "a mail")
    for _ in range(signals):
        served.signal(signal.SIGTERM)
        served.logged("stopping; what is on its way ends first")
    assert served.ended() == 0
    gone.set()
    mails.on_mail = None
    assert served.lines[-1]["event"] == "left at once; an edition on its way is unknown to the next start"
    again = site.start()
    again.ran("failed")
    assert again.stop() == 0
    assert site.place.states() == {State.UNKNOWN: 1}
    assert len(mails.kept) == 1


def test_a_broken_configuration_is_refused_and_a_good_one_taken(site: Site, mails: Mails) -> None:
    """The faults are logged whole, with their lines, and the daemon works on with the old one."""
    served = site.start()
    served.ran()
    good = site.place.config.read_text(encoding="utf-8")
    site.place.config.write_text(good.replace("[sender]", "[sender]\nnaem = 1\nadress = 2"), encoding="utf-8")
    served.signal(signal.SIGHUP)
    refusal = served.logged("the new configuration is refused; the old one stays")
    assert "sender.naem" in refusal["reason"]
    assert "sender.adress" in refusal["reason"]
    site.place.listing("a.jsonl", [paper("Reward models")])
    until(lambda: mails.to(ADA), "a mail by the old configuration")
    before, site.port = served.port, free_port()
    site.configure(ADA, BAO)
    served.signal(signal.SIGHUP)
    served.logged("configuration reloaded")
    until(lambda: mails.to(BAO), "a mail by the new configuration")
    assert served.ask("/health")[0] == 0
    served.port = site.port
    assert served.ask("/health")[0] == 200
    with socket.create_server(("127.0.0.1", before)):
        site.port = before
        site.configure(ADA)
        served.signal(signal.SIGHUP)
        refusal = served.logged("the new configuration is refused; the old one stays", 2)
    assert f"serve.port {before}: cannot listen" in refusal["reason"]
    assert served.ask("/health")[0] == 200
    assert served.stop() == 0
    assert Counter(email for email, _ in mails.kept) == {ADA: 1, BAO: 1}


def test_a_configuration_with_a_broken_template_is_refused(site: Site, mails: Mails) -> None:
    """Otherwise every run from then on would fail."""
    served = site.start()
    served.ran()
    templates = site.place.folder / "mine"
    templates.mkdir()
    (templates / "digest.mjml").write_text("<mjml><mj-body></mjml>", encoding="utf-8")
    site.configure(more='[editions]\ntemplates = "mine"\n')
    served.signal(signal.SIGHUP)
    assert "digest.mjml" in served.logged("the new configuration is refused; the old one stays")["reason"]
    site.place.listing("a.jsonl", [paper("Reward models")])
    until(lambda: mails.to(ADA), "a mail with the old template")
    assert served.stop() == 0


@pytest.mark.parametrize("number", [1, 4])
def test_killed_inside_a_tick_nobody_is_forgotten(site: Site, mails: Mails, number: int) -> None:
    """Each gets one mail, but for who was being sent to: the same mail again, to the last byte."""
    site.configure(*PEOPLE, smtp="connections = 1")
    site.place.listing("a.jsonl", [paper("Reward models")])
    served = site.start()

    def kill() -> None:
        if len(mails.kept) == number:
            served.process.kill()
            served.process.wait()

    mails.on_mail = kill
    assert served.ended() == -signal.SIGKILL
    mails.on_mail = None
    again = site.start()
    until(lambda: {email for email, _ in mails.kept} == set(PEOPLE), "everybody's mail")
    again.ran()
    assert again.stop() == 0
    assert site.place.states() == {State.SENT: len(PEOPLE)}
    unsure = mails.kept[number - 1][0]
    assert Counter(email for email, _ in mails.kept) == dict.fromkeys(PEOPLE, 1) | {unsure: 2}
    assert len(set(mails.kept)) == len(PEOPLE)


def test_systemd_is_told(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ready, alive, reloading, ready again, stopping."""
    name = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(name))
        manager.settimeout(PATIENCE)

        def told(wanted: str) -> None:
            while wanted not in manager.recv(1_000).decode().split("\n"):
                pass

        monkeypatch.setenv("NOTIFY_SOCKET", str(name))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        served = site.start()
        told("READY=1")
        told("WATCHDOG=1")
        told("STATUS=last run: 1 empty")
        served.signal(signal.SIGHUP)
        for message in ("RELOADING=1", "READY=1", "WATCHDOG=1"):
            told(message)
        served.signal(signal.SIGTERM)
        told("STOPPING=1")
    assert served.ended() == 0
