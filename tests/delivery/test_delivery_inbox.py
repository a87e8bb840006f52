"""The embedded inbox, which is a real SMTP server (aiosmtpd), takes what the sender sends, octet for octet."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from email.policy import strict

import pytest
from delivery_samples import EDITION, RENDERED, MemoryLedger, composed, editions, pieces

from digest.delivery.check import Checked, check
from digest.delivery.inbox import Inbox
from digest.delivery.relay import Relay
from digest.delivery.sender import Report, Terms, deliver
from digest.model import Delivery, Edition, State

Mail = tuple[str, tuple[str, ...], bytes]


def message_of(edition: Edition, subject: str = "x") -> Checked:
    return check(pieces(edition, RENDERED._replace(subject=subject)), edition.email)


def through_inbox(ledger: MemoryLedger, subject: str = "x", **options: object) -> tuple[Report, list[Mail]]:
    """Deliver to an inbox on a free port and return what it kept."""
    kept: list[Mail] = []

    def composed(delivery: Delivery) -> Checked:
        return message_of(delivery.edition, subject)

    with Inbox(lambda sender, recipients, message: kept.append((sender, recipients, message)), **options) as inbox:  # type: ignore[arg-type]  # any
        relay = Relay("127.0.0.1", inbox.port, "none", connections=2, local_hostname="me")
        return asyncio.run(deliver(ledger, composed, Terms((relay,), "bounces@example.org"), ledger.clock)), kept


def test_the_inbox_keeps_every_mail_as_it_was_sent() -> None:
    """Sender, recipient and message arrive; each parses strictly without a defect."""
    report, kept = through_inbox(MemoryLedger(editions(6)), "7 new — now")
    assert report.states == {State.SENT: 6}
    expected = {(e.email,): message_of(e, "7 new — now") for e in editions(6)}
    assert {recipients: message for _, recipients, message in kept} == expected
    assert {sender for sender, _, _ in kept} == {"bounces@example.org"}
    assert not any(email.message_from_bytes(message, policy=strict).defects for _, _, message in kept)


@pytest.mark.parametrize(
    "smuggled",
    ["a\n.\nb", "a\r.\rb", "a\n.\r\nMAIL FROM:<x@y.co>\r\nRCPT TO:<z@y.co>\r\nDATA\r\nhi\r\n.\r\n", "a\r\n.\r\nb"],
)
def test_a_smuggled_end_of_data_is_one_message(smuggled: str) -> None:
    """Whatever a title holds, exactly one message arrives, to the one recipient."""
    report, kept = through_inbox(MemoryLedger([EDITION]), smuggled)
    assert report.states == {State.SENT: 1}
    assert [recipients for _, recipients, _ in kept] == [(EDITION.email,)]


def test_an_internationalised_recipient_arrives() -> None:
    """The inbox offers SMTPUTF8, so a local part beyond ASCII is sent as it is."""
    report, kept = through_inbox(MemoryLedger([replace(EDITION, email="ü@bücher.example")]))
    assert report.states == {State.SENT: 1}
    assert kept[0][1] == ("ü@xn--bcher-kva.example",)
    assert "ü@xn--bcher-kva.example".encode() in kept[0][2]


def test_an_inbox_that_cannot_keep_a_mail_refuses_it() -> None:
    """An error of the callback is a refusal, not a mail lost in silence."""

    def full(sender: str, recipients: tuple[str, ...], message: bytes) -> None:
        raise OSError("disk full")

    with Inbox(full) as inbox:
        relay = Relay("127.0.0.1", inbox.port, "none", local_hostname="me")
        terms = Terms((relay,), "a@example.org")
        ledger = MemoryLedger([EDITION])
        report = asyncio.run(deliver(ledger, composed, terms, ledger.clock))
    assert report.states == {State.FAILED: 1}


def test_two_inboxes_take_two_ports() -> None:
    """A free port is found for each."""
    with Inbox(lambda *_: None) as one, Inbox(lambda *_: None) as two:
        assert one.port != two.port
