"""The sending domain's records, asked of a real name server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from name_server import NameServer

from digest.doctor.dmarc import dmarc
from digest.doctor.domain import bounces, spf
from digest.doctor.findings import Finding, Level, examined
from digest.doctor.lookup import Lookup
from digest.doctor.signing import DkimKey, dkim

DOMAIN = "mail.example.com"
RECORD = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

KEY = DkimKey(DOMAIN, "s1", Path("s1.pem"), RECORD)


def found(
    check: Callable[[Lookup], Iterator[Finding]], zone: str, failing: str = "", above: str = ""
) -> list[tuple[str, str]]:
    """Level and words of what a check finds in a zone."""
    zones = {DOMAIN: zone, "example.com": above}
    with NameServer(zones, [failing] if failing else []) as server:
        asked = server.lookup()
        return [(str(one.level), str(one)) for one in examined([("check", lambda: check(asked))])]


def of_spf(zone: str, failing: str = "") -> list[tuple[str, str]]:
    return found(lambda dns: spf(dns, DOMAIN), zone, failing)


def of_dkim(zone: str, key: DkimKey = KEY) -> list[tuple[str, str]]:
    return found(lambda dns: dkim(dns, key), zone)


def txt(name: str, text: str) -> str:
    """A TXT record in a zone file: strings of at most 255 octets."""
    return f"{name} TXT " + " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) + "\n"


def levels(said: list[tuple[str, str]]) -> list[str]:
    return [level for level, _ in said]


GOOD = """@ TXT "v=spf1 mx include:relay.mail.example.com -all"
@ MX 10 mx
mx A 192.0.2.1
relay TXT "v=spf1 ip4:192.0.2.9 -all"
"""


def test_a_good_spf_record_is_fine() -> None:
    """Its look-ups are counted through what it includes."""
    assert of_spf(GOOD) == [("ok", f"{DOMAIN}: 2 of 10 look-ups, 0 of 2 void, ends in -all")]


@pytest.mark.parametrize(
    ("terms", "level", "words"),
    [
        ("ip4:192.0.2.1 +all", "error", "ends in +all"),
        ("include:wide.mail.example.com -all", "error", "the record of wide.mail.example.com ends in +all"),
        ("ip4:192.0.2.1", "warning", "no all at its end"),
        ("ip4:192.0.2.1 ?all", "warning", "ends in ?all"),
        ("ip4:192.0.2.1 ~all", "ok", "ends in ~all"),
        ("redirect=mail.example.com", "error", "mail.example.com includes itself"),
        ("redirect=strict.mail.example.com", "ok", "1 of 10 look-ups, 0 of 2 void, ends in -all"),
        ("include:loop.mail.example.com -all", "error", "includes itself (by way of"),
        ("include:nowhere.mail.example.com -all", "error", "nowhere.mail.example.com has no SPF record (by way of"),
        ("include:twice.mail.example.com -all", "error", "twice.mail.example.com has 2 SPF records"),
        ("include:bad.mail.example.com -all", "error", "ipv4"),
        ("ptr -all", "note", "it uses ptr"),
        (
            "a:1.gone.example.com a:2.gone.example.com exists:3.gone.example.com -all",
            "error",
            "3 terms name what is not in the DNS: a:1.gone.example.com, a:2.gone.example.com, exists:",
        ),
        (
            "a:1.gone.example.com mx:2.gone.example.com -all",
            "note",
            "not in the DNS: a:1.gone.example.com, mx:2.gone.example.com",
        ),
        ("exists:%{i}._spf.%{d} -all", "ok", "1 of 10 look-ups, 0 of 2 void"),
        ("mx:many.mail.example.com -all", "error", "11 mail servers"),
        (" ".join(f"a:mx.mail.example.com//{n}" for n in range(10)) + " -all", "ok", "10 of 10 look-ups"),
        (" ".join(f"a:mx.mail.example.com//{n}" for n in range(11)) + " -all", "error", "it takes 11 DNS look-ups"),
        ("include:six.mail.example.com include:six.mail.example.com -all", "error", "it takes 14 DNS look-ups"),
        ("include:seven.mail.example.com a -all", "ok", "9 of 10 look-ups"),
    ],
)
def test_faults_of_spf_are_named(terms: str, level: str, words: str) -> None:
    """Each with what is wrong; the limits hold through includes and redirects."""
    six = " ".join(f"a:mx.mail.example.com//{n}" for n in range(6))
    records = {
        "@": terms, "wide": "+all", "strict": "ip4:192.0.2.1 -all",
        "loop": "include:mail.example.com -all", "bad": "ipv4:192.0.2.1 -all", "six": f"{six} -all",
        "seven": "include:six.mail.example.com -all",
    }  # fmt: skip
    zone = "".join(txt(name, f"v=spf1 {record}") for name, record in records.items())
    zone += txt("twice", "v=spf1 -all") + txt("twice", "v=spf1 ~all") + "@ A 192.0.2.1\nmx A 192.0.2.1\n"
    said = of_spf(zone + "".join(f"many MX {n} mx{n}\n" for n in range(11)))

    assert any(words in text for level_, text in said if level_ == level), said
    if level in ("ok", "note"):
        assert set(levels(said)) <= {"ok", "note"}


def test_there_must_be_one_spf_record() -> None:
    """None and two are errors; other TXT records do not count."""
    assert levels(of_spf('@ TXT "google-site-verification=1"\n')) == ["error"]
    ((level, words),) = of_spf('@ TXT "v=spf1 -all"\n@ TXT "v=spf1 mx -all"\n')
    assert (level, "2 SPF records" in words) == ("error", True)


def test_a_record_of_several_strings_is_one() -> None:
    """They are joined without a space (RFC 7208 3.3)."""
    assert levels(of_spf('@ TXT "v=spf1 ip4:192" ".0.2.1 -all"\n')) == ["ok"]


def test_a_failing_include_is_not_known() -> None:
    """What the DNS does not say is a warning, not an error."""
    ((level, words),) = of_spf('@ TXT "v=spf1 include:far.example.net -all"\n', "far.example.net")
    assert (level, "far.example.net (TXT)" in words) == ("warning", True)


def test_a_wild_tree_of_includes_ends() -> None:
    """Not every branch of what is far too much is followed."""
    zone = "".join(txt(f"n{n}", "v=spf1" + f" include:n{n + 1}.{DOMAIN}" * 9) for n in range(9))
    with NameServer({DOMAIN: f'@ TXT "v=spf1 include:n0.{DOMAIN} -all"\n{zone}'}) as server:
        said = list(spf(server.lookup(), DOMAIN))
        assert len(server.asked) < 50
    assert said[-1].level is Level.ERROR


def test_the_published_key_is_that_of_the_file() -> None:
    """In one string or several, directly or through a CNAME, with white space in it."""
    split = RECORD.replace("p=11qYAYKx", 'p=11qY" "AYKx ')
    assert levels(of_dkim(f'{KEY.selector}._domainkey TXT "{RECORD}"\n')) == ["ok"]
    assert levels(of_dkim(f's1._domainkey TXT "{split}"\n')) == ["ok"]
    assert levels(of_dkim(f's1._domainkey CNAME keys.{DOMAIN}.\nkeys TXT "{RECORD}"\n')) == ["ok"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (RECORD.replace("11q", "22q"), "another public key"),
        (RECORD.replace("ed25519", "rsa"), "says k=rsa, and the key file holds ed25519"),
        ("v=DKIM1; p=" + RECORD[-44:], "says k=rsa"),
        ("v=DKIM1; k=ed25519; p=", "revoked"),
        ("v=DKIM1; k=ed25519", "no p="),
        (RECORD.replace("DKIM1", "DKIM2"), "v=DKIM2"),
        (RECORD + "; h=sha1", "does not allow sha256"),
        (RECORD + "; s=other", "does not allow mail"),
        (RECORD + "; nonsense", "no tag=value"),
        (RECORD + '"\ns1._domainkey TXT "v=DKIM1; p=', "2 TXT records"),
    ],
)
def test_a_wrong_dkim_record_is_an_error(record: str, words: str) -> None:
    """With what is wrong."""
    ((level, said),) = of_dkim(f's1._domainkey TXT "{record}"\n')
    assert (level, words in said) == ("error", True), said


def test_a_missing_dkim_record_is_an_error_with_what_to_publish() -> None:
    """The record stands in the message, ready to be copied."""
    ((level, said),) = of_dkim("")
    assert level == "error"
    assert RECORD in said


def test_dkim_that_can_only_be_half_checked() -> None:
    """Testing mode is a note; a key file that cannot be read, a warning."""
    assert levels(of_dkim(f's1._domainkey TXT "{RECORD}; t=y:s"\n')) == ["ok", "note"]
    assert levels(
        of_dkim(f's1._domainkey TXT "{RECORD}"\n', DkimKey(DOMAIN, "s1", Path("x"), fault="cannot be read"))
    ) == ["warning"]


@pytest.mark.parametrize(
    ("here", "above", "expected", "words"),
    [
        ("v=DMARC1; p=reject", "", ["ok"], "policy reject"),
        ("v=DMARC1;p=quarantine;", "", ["ok"], "policy quarantine"),
        ("v=DMARC1; p=none; rua=mailto:a@b.example", "", ["ok", "note"], "policy is none"),
        ("", "v=DMARC1; p=reject; sp=none", ["ok", "note"], "_dmarc.example.com: policy none"),
        ("", "v=DMARC1; p=reject", ["ok"], "_dmarc.example.com: policy reject"),
        ("v=DMARC1; p=reject", "v=DMARC1; p=none", ["ok"], "policy reject"),
        ("", "", ["warning"], "no DMARC record"),
        ("v=spf1 -all", "", ["warning"], "no DMARC record"),
        ("v=DMARC1; p=maybe", "", ["error"], "p=maybe"),
        ("v=DMARC1; rua=mailto:a@b.example", "", ["error"], "no policy"),
        ("v=DMARC1; p=reject; p=none", "", ["error"], "twice"),
        ('v=DMARC1; p=reject"\n_dmarc TXT "v=DMARC1; p=none', "", ["error"], "2 DMARC records"),
    ],
)
def test_dmarc(here: str, above: str, expected: list[str], words: str) -> None:
    """The record of the domain, or of one above it with its policy for those below."""
    zone, upper = (f'_dmarc TXT "{text}"\n' if text else "" for text in (here, above))
    said = found(lambda dns: dmarc(dns, DOMAIN, [KEY]), zone, above=upper)
    assert levels(said) == expected, said
    assert any(words in text for _, text in said), said


@pytest.mark.parametrize(
    ("signing", "mode", "aligned"),
    [
        (DOMAIN, "s", True),
        ("example.com", "s", False),
        ("example.com", "r", True),
        ("news.mail.example.com", "r", True),
        ("other.example.com", "r", True),
        ("example.net", "r", False),
        ("notexample.com", "r", False),
    ],
)
def test_signatures_are_aligned_with_from(signing: str, mode: str, aligned: bool) -> None:
    """Strictly the same domain, or relaxed under the one that has the record."""
    key = DkimKey(signing, "s1", Path("s1.pem"), RECORD)
    said = found(lambda dns: dmarc(dns, DOMAIN, [key]), "", above=f'_dmarc TXT "v=DMARC1; p=reject; adkim={mode}"\n')
    assert levels(said) == ["ok"] + ["warning"] * (not aligned), said


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("@ MX 10 mx\nmx A 192.0.2.1\n", "ok"),
        ("@ MX 10 mx\nmx AAAA 2001:db8::1\n", "ok"),
        ("@ MX 10 mx\n@ MX 20 gone\nmx A 192.0.2.1\n", "warning"),
        ("@ MX 10 gone\n", "error"),
        ("@ MX 0 .\n", "error"),
        ("@ A 192.0.2.1\n", "warning"),
        ("", "error"),
    ],
)
def test_bounces_can_come_back(zone: str, expected: str) -> None:
    """The domain names a mail server, and that has an address."""
    assert levels(found(lambda dns: bounces(dns, DOMAIN), zone)) == [expected]
