"""Rows of docs/reliability.md that take the whole program: configured, run, killed, and what arrived of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from dkim_verifiers import AT, BOTH, Dkimpy
from scripted_relay import SILENCE, Script, ScriptedRelay
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, body_of, paper, subscriber

from digest.delivery import dkim
from digest.delivery.relay import Limits
from digest.delivery.sender import Terms
from digest.model import State
from digest.store import runs, suppressions

CANARY = "canary-5e0f9a"
PEOPLE = [f"reader{number}@example.org" for number in range(5)]
RUN = ("run", "--now", datetime.fromtimestamp(NOON, UTC).isoformat())


def killed_at(place: Workplace, command: str, settings: str = "") -> list[bytes]:
    """Kill a run while the relay keeps it waiting for this reply; return the bodies that the relay has by then."""

    async def run() -> list[bytes]:
        async with ScriptedRelay({command: SILENCE}) as relay:
            place.port = relay.port
            place.configure(*map(subscriber, PEOPLE), smtp="connections = 1", extra=settings)
            running = place.start(*RUN)
            while not (relay.messages if command == "." else any(line.startswith(command) for line in relay.commands)):
                assert running.poll() is None, running.communicate()
                await asyncio.sleep(0.01)
            running.kill()
            running.communicate()
            assert running.returncode == -signal.SIGKILL
            return relay.messages

    return asyncio.run(run())


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_killed_before_the_body_left_each_mail_comes_once(place: Workplace, mails: Mails, command: str) -> None:
    """The next run sends all of them."""
    place.listing("a.jsonl", [paper("A reward model")])
    assert killed_at(place, command) == []
    place.port = mails.port
    place.configure(*map(subscriber, PEOPLE))
    assert place.run().counts()["sent"] == len(PEOPLE)
    assert sorted(recipient for recipient, _ in mails.kept) == PEOPLE


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_killed_behind_the_dot_little_is_unknown(place: Workplace, mails: Mails, policy: str) -> None:
    """The mail on its way and at most the next, which was granted: sent again with the same bytes, or held."""
    place.listing("a.jsonl", [paper("A reward model")])
    settings = f'[delivery]\non_unknown = "{policy}"\n'
    (lost,) = killed_at(place, ".", settings)
    place.port = mails.port
    place.configure(*map(subscriber, PEOPLE), extra=settings)
    held = place.run().counts()["unknown"]
    assert held in ((1, 2) if policy == "hold" else (0,))
    assert place.states().get(State.UNKNOWN, 0) == held
    assert [message for _, message in mails.kept].count(lost) == (policy == "resend")
    assert len({recipient for recipient, _ in mails.kept}) == len(mails.kept) == len(PEOPLE) - held


def test_the_limits_of_a_step_are_those_of_rfc_5321(place: Workplace) -> None:
    """Section 4.5.3.2 has them, and no setting changes them."""
    with place.opened() as app:
        (relay,) = app.dispatch.terms.relays
    assert relay.limits == Limits(greeting=300, command=300, data=120, block=180, dot=600)


def test_what_arrives_is_signed_and_has_the_postal_address(place: Workplace, mails: Mails, tmp_path: Path) -> None:
    """Both signatures hold for the bytes that the relay was given; the address is in both parts."""
    tables = []
    for signer in BOTH:
        dkim.write_key(signer.key, place.folder / f"{signer.selector}.pem")
        tables.append(f'[[dkim]]\nselector = "{signer.selector}"\nkey = "{signer.selector}.pem"\n')
    place.configure(subscriber(), extra='postal_address = "1 Main St, Springfield"\n' + "".join(tables))
    place.listing("a.jsonl", [paper(".", "\n.\nA reward model. " * 9)])
    place.run(AT)
    (mail,) = mails.to(ADA)
    assert Dkimpy(BOTH, tmp_path).passed(mail) == [{signer.selector for signer in BOTH}]
    (parsed,) = mails.parsed(ADA)
    assert all("1 Main St, Springfield" in body_of(parsed, kind) for kind in ("plain", "html"))


def test_a_refused_login_stops_the_run_and_shows_no_password(place: Workplace) -> None:
    """All editions wait as before; the password is in no output, file or argument list, though the relay repeats it."""
    echo: Script = {"EHLO": "250-me\r\n250 AUTH PLAIN", "AUTH": f"535 5.7.8 what is {CANARY}?"}
    place.listing("a.jsonl", [paper("A reward model")])

    async def run() -> tuple[str, str]:
        async with ScriptedRelay(echo) as relay:
            place.port = relay.port
            login = f'username = "ada"\npassword = "{CANARY}"'
            place.configure(subscriber(ADA), subscriber(BAO), smtp=login, extra="[delivery]\nprocesses = 2\n")
            running, seen = place.start("run", "--json"), set[str]()
            while running.poll() is None:
                seen.update(_command_lines(place.folder))
                await asyncio.sleep(0.01)
            assert not any(line.startswith(("MAIL", "RCPT")) for line in relay.commands)
            return _told(running), "\n".join(seen)

    told, arguments = asyncio.run(run())
    assert "the login is refused: 535 5.7.8" in told
    assert "multiprocessing" in arguments, "the processes that send were not seen"
    assert place.states() == {State.PLANNED: 2}
    files = [file for file in place.folder.rglob("*") if file.is_file() and file != place.config]
    assert CANARY not in told + arguments
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


def _told(ended: subprocess.Popen[str]) -> str:
    """What it wrote, on both streams."""
    assert ended.returncode == 1
    return "".join(ended.communicate())


def _command_lines(folder: Path) -> Iterator[str]:
    """Those of the processes that work in a folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                yield (process / "cmdline").read_text()
        except OSError:  # it has ended, or is not ours
            continue


def test_too_many_complaints_stop_sending(place: Workplace, mails: Mails) -> None:
    """Editions are planned and kept, and the run says why; a month later they go, as one."""
    place.listing("a.jsonl", [paper("A reward model")])
    figures = {"sent": 2_000, "failed": 0, "deferred": 0, "unknown": 0}
    with place.opened() as app, app.store.write() as connection:
        runs.finish(connection, runs.begin(connection, NOON), NOON, figures)
        for number in range(7):
            suppressions.add(connection, f"reader{number}@example.org", "complaint", "", NOON)
    report = place.run()
    assert (report.failed, report.counts()["sent"], place.states()) == (True, 0, {State.PLANNED: 1})
    assert any("7 complaints about 2,000 mails" in line for line in report.troubles())
    assert place.run(NOON + 31 * DAY).counts()["sent"] == 1
    assert len(mails.texts(ADA)) == 1


def test_after_days_without_a_relay_one_mail_has_it_all(
    place: Workplace, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens for three days, with a run every six hours; then everything comes, each entry once."""
    monkeypatch.setattr("digest.app.Terms", partial(Terms, pauses=(0.0,)))
    place.port = 1
    place.configure(subscriber())
    for hour in range(0, 72, 6):
        if hour % 24 == 0:
            place.listing(f"{hour}.jsonl", [paper(f"Reward model of hour {hour}")])
        assert place.run(NOON + hour * 3_600).delivered.relay_error
    place.port = mails.port
    place.configure(subscriber())
    assert place.run(NOON + 3 * DAY).counts()["sent"] == 1
    (text,) = mails.texts(ADA)
    assert sorted(re.findall(r"Reward model of hour (\d+)\r\n", text)) == ["0", "24", "48"]


def test_a_file_that_comes_in_pieces_and_again_gives_each_entry_once(place: Workplace, mails: Mails) -> None:
    """Unfinished, cut off, replaced by the whole, and delivered again under another name."""
    papers = [paper(f"Reward model number {number}", "A text. " * 20) for number in range(8)]
    whole = "".join(json.dumps(one) + "\n" for one in papers)
    unfinished = place.listings / "a.jsonl.part"
    unfinished.write_text(whole[:300])
    assert place.run().counts()["loaded"] == 0
    unfinished.unlink()
    loaded = []
    for day, (name, text) in enumerate([("a", whole[: len(whole) // 2]), ("a", whole), ("a", whole), ("b", whole)]):
        (place.listings / f"{name}.jsonl").write_text(text)
        loaded.append(place.run(NOON + day * DAY).loaded.new_entries)
    assert 0 < loaded[0] < 8
    assert (sum(loaded), loaded[2:]) == (8, [0, 0])
    titles = [title for text in mails.texts(ADA) for title in re.findall(r"Reward model number (\d)\r\n", text)]
    assert sorted(titles) == list("01234567")
