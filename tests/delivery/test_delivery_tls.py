"""TLS and login against real TLS servers: no AUTH bytes leave before the relay has proved who it is."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import trustme
from scripted_relay import ScriptedRelay
from wire_samples import EHLO, MESSAGE, envelope, send_all

from digest.delivery.opening import UnreachableError, connect
from digest.delivery.relay import Limits, Relay
from digest.delivery.verdict import Phase
from digest.errors import RelayError

CANARY = "canary-pa55word"
TLS = Literal["none", "starttls", "implicit"]
WITH_AUTH = {"EHLO": "250-scripted\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"}


class Secret:
    """A password that does not print itself."""

    def get_secret_value(self) -> str:
        return CANARY


class Authority:
    """Certificates for the tests: `ca_file` is what the client trusts."""

    def __init__(self, folder: Path) -> None:
        self._good, self._unknown = trustme.CA(), trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self._good.cert_pem.write_to_path(self.ca_file)

    def context(self, fault: str) -> ssl.SSLContext:
        if fault == "unknown authority":
            certificate = self._unknown.issue_cert("127.0.0.1")
        elif fault == "wrong host":
            certificate = self._good.issue_cert("mail.example.org")
        elif fault == "expired":
            certificate = self._good.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
        else:
            certificate = self._good.issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def login(
    tls: TLS,
    script: Mapping[str, str | Sequence[str]],
    context: ssl.SSLContext | None,
    ca_file: str | None = None,
) -> tuple[ScriptedRelay, RelayError | None]:
    """Connect, log in and send one message; return the relay and the error, if any."""

    async def run() -> tuple[ScriptedRelay, RelayError | None]:
        async with ScriptedRelay(script, context, implicit=tls == "implicit") as server:
            limits = Limits(greeting=5, command=5, farewell=1)
            relay = Relay(
                "127.0.0.1", server.port, tls, "ada", Secret(), local_hostname="me", ca_file=ca_file, limits=limits
            )
            try:
                connection = await connect(relay)
                await connection.sent(envelope(), MESSAGE)
                await connection.close()
            except RelayError as error:
                return server, error
            return server, None

    return asyncio.run(run())


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_relay_with_a_good_certificate_gets_login_and_mail(tls: TLS, authority: Authority) -> None:
    """Over verified TLS the login is made and the message arrives to the last octet."""
    server, error = login(tls, WITH_AUTH, authority.context("none"), authority.ca_file)
    assert error is None
    assert server.messages == [MESSAGE]
    before_auth = server.commands[: next(i for i, line in enumerate(server.commands) if line.startswith("AUTH"))]
    assert before_auth == (["EHLO me", "STARTTLS", "EHLO me"] if tls == "starttls" else ["EHLO me"])


@pytest.mark.parametrize("way", EHLO)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("library", ["asyncio", "uvloop"])
def test_all_ways_of_a_transaction_work_over_tls(library: str, tls: TLS, way: str, authority: Authority) -> None:
    """The secured transport is taken over as a plain one is, on both event loops."""
    policy = asyncio.DefaultEventLoopPolicy
    if library == "uvloop":
        policy = pytest.importorskip("uvloop").EventLoopPolicy
    script = {"EHLO": EHLO[way].replace("250 ", "250-") + "\r\n250 STARTTLS", "RCPT": ["250 ok", "550 5.1.1 no"]}

    async def run() -> None:
        async with ScriptedRelay(script, authority.context("none"), implicit=tls == "implicit") as server:
            relay = Relay("127.0.0.1", server.port, tls, local_hostname="me", ca_file=authority.ca_file)
            connection = await connect(relay)
            results = await send_all(connection, 5)
            assert [(r.phase, r.code) for r in results if r.code != 250] == [(Phase.RCPT, 550)]
            assert len(server.accepted) == 4
            assert server.messages[-1] == MESSAGE
            await connection.close()
            assert server.commands[-1] == "QUIT"

    asyncio.set_event_loop_policy(policy())
    try:
        asyncio.run(run())
    finally:
        asyncio.set_event_loop_policy(None)


@pytest.mark.parametrize("way", EHLO)
def test_a_drop_over_tls_is_told_as_in_plain_text(way: str, authority: Authority) -> None:
    """Behind the body it is unknown, and the connection ends."""

    async def run() -> None:
        script = {"EHLO": EHLO[way], ".": "drop", "BDAT": "drop"}
        async with ScriptedRelay(script, authority.context("none"), implicit=True) as server:
            relay = Relay("127.0.0.1", server.port, "implicit", local_hostname="me", ca_file=authority.ca_file)
            connection = await connect(relay)
            result = await connection.sent(envelope(), MESSAGE)
            assert (result.phase, result.lost, connection.is_open) == (Phase.BODY, True, False)

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["unknown authority", "wrong host", "expired"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_bad_certificate_gets_nothing(tls: TLS, fault: str, authority: Authority) -> None:
    """No AUTH and no mail leave, and the error names the certificate and is not worth a retry."""
    server, error = login(tls, WITH_AUTH, authority.context(fault), authority.ca_file)
    assert "certificate" in str(error)
    assert not isinstance(error, UnreachableError)
    assert [line for line in server.commands if line.startswith(("AUTH", "MAIL"))] == []
    assert server.messages == []


def test_the_systems_authorities_do_not_know_a_private_one(authority: Authority) -> None:
    """Without ca_file a certificate of an own authority is refused."""
    server, error = login("implicit", WITH_AUTH, authority.context("none"))
    assert "certificate" in str(error)
    assert server.commands == []


def test_a_stripped_starttls_gets_nothing() -> None:
    """A relay that offers no STARTTLS where it is required is left before AUTH."""
    server, error = login("starttls", {"EHLO": "250-scripted\r\n250 AUTH PLAIN"}, None)
    assert "STARTTLS" in str(error)
    assert not isinstance(error, UnreachableError)
    assert server.commands == ["EHLO me"]


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "501 no", "250 ok"])
def test_a_refused_starttls_gets_nothing(answer: str) -> None:
    """A relay that offers STARTTLS and then refuses it is left before AUTH."""
    server, error = login("starttls", WITH_AUTH | {"STARTTLS": answer}, None)
    assert error
    assert server.commands == ["EHLO me", "STARTTLS"]


def test_replies_slipped_in_before_tls_are_not_believed(authority: Authority) -> None:
    """What somebody between adds to the answer to STARTTLS in plain text is dropped (RFC 3207 4.2)."""
    script = WITH_AUTH | {"STARTTLS": "220 go\r\n250-evil\r\n250 AUTH PLAIN"}
    server, error = login("starttls", script, authority.context("none"), authority.ca_file)
    assert error is None
    assert server.commands[:3] == ["EHLO me", "STARTTLS", "EHLO me"]


def test_a_missing_ca_file_is_named() -> None:
    """The error says which file."""
    _, error = login("implicit", {}, None, "no/such.pem")
    assert "no/such.pem" in str(error)


@pytest.mark.parametrize(("answer", "temporary"), [("535 5.7.8 no", False), ("454 4.7.0 later", True)])
def test_a_refused_login_is_told_by_its_code(answer: str, temporary: bool) -> None:
    """5xx stops for good, 4xx may do later; nothing of MAIL is tried."""
    server, error = login("none", {"EHLO": "250-me\r\n250 AUTH PLAIN", "AUTH": answer}, None)
    assert f"the login is refused: {answer[:9]}" in str(error)
    assert isinstance(error, UnreachableError) is temporary
    assert not any(line.startswith("MAIL") for line in server.commands)


def test_a_relay_without_login_is_not_used_without() -> None:
    """A configured login that cannot be made is an error, not left out."""
    server, error = login("none", {}, None)
    assert "offers no login" in str(error)
    assert server.commands == ["EHLO me"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_the_password_is_in_no_repr_log_or_traceback(mechanism: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not even when the relay repeats what it was sent, nor in the local variables of a traceback."""
    caplog.set_level(logging.DEBUG)
    plain = b64encode(f"\0ada\0{CANARY}".encode()).decode()
    echo = f"535 5.7.8 what is {CANARY} {plain} {b64encode(CANARY.encode()).decode()}?"
    challenge = ["334 VXNlcm5hbWU6"] if mechanism == "LOGIN" else ["334 PGFAYj4="] if mechanism == "CRAM-MD5" else []
    script = {
        "EHLO": f"250-me\r\n250 AUTH {mechanism}",
        "AUTH": [*challenge, echo],
        b64encode(CANARY.encode()).decode(): echo,
    }
    server, error = login("none", script, None)
    assert error
    relay = Relay("127.0.0.1", server.port, "none", "ada", Secret())
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in trace.stack if frame.filename != __file__]  # this test's own variables hold the password
    assert ours
    told = f"{''.join(traceback.StackSummary.from_list(ours).format())} {error.__context__!r} {error.__cause__!r}"
    told += f"{error!r} {error} {relay!r} {relay} {caplog.text}"
    for secret in (CANARY, plain, b64encode(CANARY.encode()).decode()):
        assert secret not in told
