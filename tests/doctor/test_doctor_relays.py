"""What `digest doctor` says of a relay, without sending."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from scripted_relay import ScriptedRelay

from digest.delivery.relay import Relay
from digest.doctor.findings import Finding, examined
from digest.doctor.relays import reached

ALL = "250-me\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250 SIZE 10485760"


class Secret:
    """A password."""

    def get_secret_value(self) -> str:
        return "secret"


def looked_at(script: Mapping[str, str], username: str = "") -> tuple[list[Finding], list[str]]:
    """What is found, and what the relay was sent."""

    async def run() -> tuple[list[Finding], list[str]]:
        async with ScriptedRelay(script) as server:
            one = Relay("127.0.0.1", server.port, "none", username, Secret(), local_hostname="me")
            found = await asyncio.to_thread(lambda: list(examined([("relay", lambda: reached(one))])))
            return found, server.commands

    return asyncio.run(run())


def levels(found: list[Finding]) -> list[str]:
    return [str(one.level) for one in found]


def test_a_good_relay_is_fine() -> None:
    """All that it offers is told, and it is left politely, with nothing sent."""
    found, commands = looked_at({"EHLO": ALL})
    assert levels(found) == ["ok"]
    assert "it offers CHUNKING, PIPELINING, SIZE 10485760, SMTPUTF8" in found[0].what
    assert commands == ["EHLO me", "QUIT"]


def test_what_makes_it_slow_is_a_note() -> None:
    """A relay without PIPELINING and CHUNKING works."""
    found, _ = looked_at({})
    assert levels(found) == ["ok", "note"]
    assert "does not offer CHUNKING, PIPELINING" in found[1].what


def test_a_login_is_made() -> None:
    """With the login of the configuration; where none is set, it is told that one is offered."""
    offering = {"EHLO": ALL.replace("250-me", "250-me\r\n250-AUTH PLAIN")}
    found, commands = looked_at(offering, "ada")
    assert (levels(found), commands[1][:10]) == (["ok"], "AUTH PLAIN")
    assert "logged in as ada" in found[0].what
    assert levels(looked_at(offering)[0]) == ["ok", "note"]


@pytest.mark.parametrize(
    ("script", "username", "words"),
    [
        ({"CONNECT": "554 5.7.1 no"}, "", "554"),
        ({"EHLO": "250-me\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 no"}, "ada", "the login is refused: 535 5.7.8"),
        ({"EHLO": "250 me"}, "ada", "offers no login"),
        ({"CONNECT": "drop"}, "", "cannot be used"),
    ],
)
def test_a_relay_that_cannot_be_used_is_an_error(script: Mapping[str, str], username: str, words: str) -> None:
    """With the reason of the connection."""
    found, _ = looked_at(script, username)
    assert levels(found) == ["error"]
    assert words in found[0].what


def test_a_missing_relay_is_an_error() -> None:
    """Nobody listens on port 1."""
    (finding,) = examined([("relay", lambda: reached(Relay("127.0.0.1", 1, "none")))])
    assert (str(finding.level), "127.0.0.1:1" in finding.what) == ("error", True)
