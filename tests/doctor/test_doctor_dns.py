"""Reverse DNS, and a DNS that fails, keeps silent or is not there."""

from __future__ import annotations

import sys

import pytest
from name_server import NameServer

from digest.doctor.examine import in_dns, system_dns
from digest.doctor.findings import Finding, Level, UnansweredError
from digest.doctor.hosts import own_addresses, reverse
from digest.doctor.lookup import Lookup

ZONES = {
    "example.com": (
        '@ TXT "v=spf1 mx -all"\n@ MX 10 mx\nmx A 8.8.1.1\nmx AAAA 2600::1\nother A 8.8.1.9\n'
        'inside A 192.168.0.1\n_dmarc TXT "v=DMARC1; p=reject"\n'
    ),
    "1.8.8.in-addr.arpa": "1 PTR mx.example.com.\n2 PTR other.example.com.\n",
    "0.0.0.6.2.ip6.arpa": "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.example.com.\n",
}


def of(host: str, *own: str) -> list[tuple[str, str]]:
    with NameServer(ZONES) as server:
        return [(str(one.level), one.what) for one in reverse(server.lookup(), host, own)]


def levels(host: str, *own: str) -> list[str]:
    return [level for level, _ in of(host, *own)]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", ""])
def test_a_relay_on_this_machine_sends_from_its_addresses(host: str) -> None:
    """Each public one needs a name that leads back to it; an address of a private network is none."""
    assert levels(host, "8.8.1.1", "2600::1") == ["ok", "ok"]
    assert levels(host, "8.8.1.3", "10.0.0.1") == ["error"]
    assert levels(host, "10.0.0.1", "fe80::1") == ["note"]
    assert levels(host) == ["note"]


def test_a_name_that_leads_elsewhere_is_not_confirmed() -> None:
    """The message has the name."""
    ((level, what),) = of("localhost", "8.8.1.2")
    assert level == "error"
    assert "other.example.com, which has other addresses" in what


def test_of_another_relay_it_is_a_warning_at_most() -> None:
    """By name or by address; but one whose name is this machine's address is this machine."""
    assert levels("mx.example.com") == ["ok", "ok"]
    assert levels("other.example.com") == ["warning"]
    assert levels("8.8.1.2") == ["warning"]
    assert levels("other.example.com", "8.8.1.9") == ["error"]
    assert levels("inside.example.com") == ["note"]


def test_this_machine_knows_its_addresses() -> None:
    """Whatever they are, none is needed."""
    assert all(isinstance(address, str) for address in own_addresses())


def examined_in(server: NameServer, each: float = 5.0, all_: float = 30.0) -> list[Finding]:
    return list(in_dns("example.com", ["mx.example.com"], [], lambda: server.lookup(each, all_), tuple))


def test_a_domain_in_order_has_no_fault() -> None:
    """Every record is asked for and found."""
    with NameServer(ZONES) as server:
        found = examined_in(server)
    assert [(one.check, str(one.level)) for one in found] == [
        ("SPF", "ok"), ("DMARC", "ok"), ("MX", "ok"), ("reverse DNS", "ok"), ("reverse DNS", "ok"),
    ]  # fmt: skip


def test_one_failing_name_hides_nothing_else() -> None:
    """What failed is a warning that says which name."""
    with NameServer(ZONES, failing=["_dmarc.example.com"]) as server:
        found = examined_in(server)
    assert [one.level for one in found if one.check == "DMARC"] == [Level.WARNING]
    assert [one.level for one in found if one.check == "MX"] == [Level.OK]


def test_a_dns_that_fails_at_everything_is_told_once() -> None:
    """One warning in place of all checks, and it is no error."""
    with NameServer({}, failing=["example.com", "."]) as server:
        (finding,) = examined_in(server)
    assert (finding.check, finding.level) == ("DNS", Level.WARNING)


def test_a_dns_without_the_world_is_told_once() -> None:
    """A resolver that has never heard of the root knows nothing of receivers' view."""
    with NameServer({}) as server:
        (finding,) = examined_in(server)
    assert "know neither example.com nor the root" in finding.what


def test_a_silent_dns_ends_in_time() -> None:
    """One warning after the time for two questions."""
    with NameServer({}, silent=["example.com", "."]) as server:
        (finding,) = examined_in(server, each=0.1)
    assert "no answer in time" in finding.what


def test_all_questions_together_have_a_deadline() -> None:
    """When it is over, each check says so, and asks nothing more."""
    with NameServer(ZONES, silent=["_dmarc.example.com"]) as server:
        found = examined_in(server, all_=0.3)
        asked = len(server.asked)
    assert [one.what for one in found if one.check == "MX"] == [
        "there was no time left to ask the DNS for example.com (MX)"
    ]
    assert asked < 10


def test_a_machine_without_dns_is_told_once() -> None:
    """Without servers, or without the library."""

    def none() -> Lookup:
        raise UnansweredError("this machine has no DNS servers")

    (finding,) = in_dns("example.com", [], [], none, tuple)
    assert (finding.level, finding.what) == (Level.WARNING, "this machine has no DNS servers")


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, and it is no error."""
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    monkeypatch.delitem(sys.modules, "digest.doctor.lookup")
    (finding,) = in_dns("example.com", [], [], system_dns, tuple)
    assert (finding.level, "email-digest[doctor]" in finding.what) == (Level.WARNING, True)


@pytest.mark.parametrize("domain", ["localhost", "mail.local", "office.lan", "x.home.arpa"])
def test_a_private_domain_is_not_asked_for(domain: str) -> None:
    """The DNS of the world cannot know it."""
    (finding,) = in_dns(domain, [], [], pytest.fail, tuple)
    assert finding.level is Level.NOTE
