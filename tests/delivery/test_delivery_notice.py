"""A mail to the operator arrives whole, says what is broken, and nothing in a path or a reply can change its form."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import strict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scripted_relay import DROP, ScriptedRelay

from digest.alarms import KINDS, Incident
from digest.delivery.check import check
from digest.delivery.headers import clean
from digest.delivery.inbox import Inbox
from digest.delivery.message import Sender
from digest.delivery.notice import body, compose, send, subject
from digest.delivery.opening import UnreachableError
from digest.delivery.relay import Limits, Relay
from digest.errors import MessageError, RelayError
from digest.rendering.quoted import encode

NOW = 1_795_158_000  # 2026-11-20 07:00 UTC
SENDER = Sender("digest@example.org", "Paper Digest", list_name="New papers", reply_to="ada@example.org")
OPEN = Incident(7, "source", "/in", "The newest file gave no entries. Look into /in/é.txt", NOW - 3600, None, 0)
OVER = OPEN._replace(closed_at=NOW, told=1)
TO = "operator@example.net"
SHORT = Limits(greeting=0.5, command=0.5, data=0.5, dot=0.5, farewell=0.5)


def composed(incident: Incident, to: str = TO, now: int = NOW) -> list[bytes]:
    return compose(incident, SENDER, to, now, encode)


def parsed(message: Sequence[bytes]) -> EmailMessage:
    return email.message_from_bytes(b"".join(message), policy=strict)


def texts(message: Sequence[bytes]) -> tuple[str, str]:
    """The plain text and the HTML, as a reader's program gets them, with plain line ends."""
    plain, html = parsed(message).iter_parts()
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def test_the_headers_say_that_a_program_writes_and_what_is_broken() -> None:
    """They are those of an edition, but for a list of its own and no unsubscribing."""
    message = parsed(composed(OPEN))
    assert dict(message.items()) == {
        "To": "operator@example.net",
        "Subject": "[Digest] broken: no entries from /in",
        "Date": "Fri, 20 Nov 2026 07:00:00 +0000",
        "Message-ID": f"<7.{NOW - 3600}.broken.digest-alarms@example.org>",
        "From": "Paper Digest <digest@example.org>",
        "Reply-To": "ada@example.org",
        "List-Id": "<digest-alarms.example.org>",
        "Feedback-ID": "digest-alarms:::bfabc3743295",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_digest"',
    }


def test_the_text_says_what_since_when_and_where_to_look() -> None:
    """The beginning of an incident."""
    assert body(OPEN) == (
        "Broken since 2026-11-20 06:00 UTC: no entries from /in.\n\n"
        "The newest file gave no entries. Look into /in/é.txt\n\n"
        "See how things stand: digest status\n"
        "Another mail comes when it is over, and none until then.\n"
    )


def test_the_text_says_when_it_was_over_and_when_it_began() -> None:
    """The end of an incident, told of before or not."""
    told = (
        "Over since 2026-11-20 07:00 UTC: no entries from /in.\n\n"
        "It began 2026-11-20 06:00 UTC. It said: The newest file gave no entries. Look into /in/é.txt\n\n"
        "Nothing is left to do. See how things stand: digest status\n"
    )
    assert body(OVER) == told
    assert body(OVER._replace(told=0)) == f"{told}There was no mail about its beginning.\n"
    assert subject(OVER) == "[Digest] over: no entries from /in"


def test_both_parts_say_the_same() -> None:
    """The HTML is the text, with its line breaks and escaped."""
    odd = OPEN._replace(words="<b>&")
    plain, html = texts(composed(odd))
    assert plain == body(odd)
    assert "<p" not in html
    assert "Broken since 2026-11-20 06:00 UTC: no entries from /in.\n\n&lt;b&gt;&amp;\n\nSee" in html


def test_a_retry_has_the_same_message_id_and_the_end_another() -> None:
    """Whenever it is tried, and however the words have changed; another incident of the same number has its own."""

    def message_id(incident: Incident, now: int = NOW) -> str:
        return str(parsed(composed(incident, now=now))["Message-ID"])

    assert message_id(OPEN) == message_id(OPEN._replace(words="other", told=0), NOW + 999)
    assert len({message_id(OPEN), message_id(OVER), message_id(OPEN._replace(id=8))}) == 3
    assert message_id(OPEN) != message_id(OPEN._replace(opened_at=1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("closed_at", [None, NOW])
def test_a_subject_has_at_most_78_characters(kind: str, closed_at: int | None) -> None:
    """Of a path too long for it the end is shown, which tells more."""
    long = OPEN._replace(kind=kind, subject="/very" * 30 + "/papers.txt", closed_at=closed_at)
    line = subject(long)
    named = kind in ("source", "setup")
    assert len(line) == 78 if named else len(line) < 78
    assert line.endswith("/very/papers.txt") or not named
    assert ("…" in line) == named


NASTY = st.text(st.characters(codec=None), max_size=80) | st.lists(
    st.sampled_from(["\r\nBcc: x@y.co", "\r", "\n", "\r\n.\r\n", "\0", "=?utf-8?q?=0A?=", "\ud800", "\u202e", "é", "."])
).map("".join)


@settings(deadline=None)
@given(path=NASTY, words=NASTY, closed_at=st.none() | st.just(NOW))
@example(path="/in\r\nBcc: eve@example.com\r\n\r\nhello", words="\r\n.\r\nMAIL FROM:<x@y.co>", closed_at=None)
def test_no_path_and_no_reply_changes_the_form_of_the_mail(path: str, words: str, closed_at: int | None) -> None:
    """It passes the gate, has the headers that it always has, and says the cleaned text."""
    incident = OPEN._replace(subject=path, words=words, closed_at=closed_at)
    message = composed(incident)
    check(message, TO)
    assert parsed(message).keys() == parsed(composed(OPEN)).keys()
    assert not parsed(message).defects
    assert str(parsed(message)["Subject"]) == clean(subject(incident))
    assert texts(message)[0] == body(incident)
    assert len(subject(incident)) <= 78


def through(script: dict[str, str | list[str]], *recipients: str) -> ScriptedRelay:
    """The relay after such a mail to each recipient."""

    async def run() -> ScriptedRelay:
        async with ScriptedRelay(script) as server:
            relay = Relay("127.0.0.1", server.port, "none", local_hostname="me", limits=SHORT)
            await send(relay, "digest@example.org", {to: composed(OPEN, to) for to in recipients})
            return server

    return asyncio.run(run())


def test_each_recipient_gets_a_mail() -> None:
    """A real server receives, for each, the bytes that were composed."""
    kept: list[tuple[str, tuple[str, ...], bytes]] = []
    messages = {to: composed(OPEN, to) for to in (TO, "ü@bücher.example")}
    with Inbox(lambda *mail: kept.append(mail)) as inbox:
        asyncio.run(send(Relay("127.0.0.1", inbox.port, "none", local_hostname="me"), "bounces@example.org", messages))
    assert [message for _, _, message in kept] == [b"".join(message) for message in messages.values()]
    assert [recipients for _, recipients, _ in kept] == [(TO,), ("ü@xn--bcher-kva.example",)]
    assert {mail_from for mail_from, _, _ in kept} == {"bounces@example.org"}


def test_all_mails_of_a_notice_go_over_one_connection() -> None:
    """One greeting for all recipients."""
    server = through({}, TO, "second@example.net")
    assert (server.connections, len(server.messages)) == (1, 2)


def test_one_recipient_is_enough() -> None:
    """The relay turns one away; the other knows."""
    server = through({"RCPT": ["550 5.1.1 nobody here", "250 ok"]}, TO, "second@example.net")
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"RCPT": "550 5.1.1 nobody here"}, "operator@example.net: 550 5.1.1 nobody here"),
        ({"DATA": "451 4.3.0 later"}, "451 4.3.0 later"),
        ({".": DROP}, "operator@example.net: connection lost at end of data"),
        ({"MAIL": "550 5.7.1 go away"}, "refuses us at MAIL"),
    ],
)
def test_a_mail_that_nobody_got_is_an_error(script: dict[str, str | list[str]], reason: str) -> None:
    """Refused, put off, or of unknown fate: it is to be tried again."""
    with pytest.raises(RelayError, match=reason):
        through(script, TO)


def test_a_relay_out_of_reach_is_an_error() -> None:
    """Nobody listens there any more."""
    with Inbox(lambda *_: None) as inbox:
        relay = Relay("127.0.0.1", inbox.port, "none", local_hostname="me", limits=SHORT)
    with pytest.raises(UnreachableError):
        asyncio.run(send(relay, "digest@example.org", {TO: composed(OPEN)}))


def test_a_mail_to_somebody_else_is_not_sent() -> None:
    """The gate compares To with the recipient before the relay is spoken to."""
    relay = Relay("127.0.0.1", 1, "none", local_hostname="me", limits=SHORT)
    with pytest.raises(MessageError, match="To must name"):
        asyncio.run(send(relay, "digest@example.org", {"eve@example.com": composed(OPEN)}))
