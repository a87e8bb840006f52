"""The lines of the delivery checklist about the mail itself; each test is named after its number.

What other tests prove is not proved again here: docs/reliability.md says which test stands for which line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, strict
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mail_samples import ENTRIES, FULL, MAILS, ONE, SAMPLE, SENDER, WEB
from scripted_relay import DROP, ScriptedRelay
from sink import SINK, sink
from workplace import ADA, NOON, Mails, Workplace, body_of, paper, subscriber

from digest.model import Match

HAS_WEB = [name for name in MAILS if name not in ("bare", "no web page")]
each_mail = pytest.mark.parametrize("name", MAILS)


def parsed(mail: bytes) -> EmailMessage:
    return message_from_bytes(mail, policy=strict)


def body(mail: bytes, kind: str) -> str:
    return body_of(parsed(mail), kind)


class Page(HTMLParser):
    """The tags of an HTML part with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.seen: list[str] = []
        self.feed(html)
        self.text = " ".join("".join(self.seen).split())
        self.links = [a["href"] or "" for tag, a in self.tags if tag == "a" and not (a["href"] or "").startswith("#")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def attributes(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_head_in_the_documentation_is_a_real_one() -> None:
    """docs/mail.md shows the head of a mail as it is made."""
    docs = Path(__file__).resolve().parents[2] / "docs" / "mail.md"
    head = MAILS["several profiles"].decode().partition("\r\n\r\n")[0].splitlines()
    assert "".join(f"    {line}\n" for line in head) in docs.read_text(encoding="utf-8")


@each_mail
def test_01_lines_are_short_and_end_in_crlf(name: str) -> None:
    """998 octets at most, 76 in the body; no bare CR or LF, no NUL."""
    head, _, encoded = MAILS[name].partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", MAILS[name])


DOTS = "." * 200


def test_02_lines_of_dots_arrive_whole(place: Workplace, mails: Mails) -> None:
    """A body line that is a dot, or begins with one, is neither an end nor shorter by one."""
    place.listing("a.jsonl", [paper(".", f"{DOTS} reward model", authors=["."])])
    place.run()
    (mail,) = mails.to(ADA)
    assert not re.search(rb"(?m)^\.", mail)
    assert mail.count(b"\n=2E") > 1
    assert "\n1. .\n" in body(mail, "plain").replace("\r", "")
    assert f" {DOTS}\r\n" in body(mail, "plain")
    assert f" {DOTS} " in Page(body(mail, "html")).text


SMUGGLED = [
    *(
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r\n.\r\n",
        "\r.\r\n",
        "\n.\r",
        "\r\n\0.\r\n",
        "\u2028.\u2028",
        "\x85.\x85",
    ),
    "\n.\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\nSubject: two\r\n\r\nhi\r\n.\r\n",
]


def _hostile_listing(place: Workplace) -> None:
    texts = [(f"Reward model {number} {end}", f"A {end} model", [end]) for number, end in enumerate(SMUGGLED)]
    place.listing("a.jsonl", [paper(title, abstract, authors=authors) for title, abstract, authors in texts])


def test_03_smuggled_ends_are_one_message_to_aiosmtpd(place: Workplace, mails: Mails) -> None:
    """Whatever stands in titles, abstracts and authors, one mail comes, with all of the entries, and no other."""
    _hostile_listing(place)
    assert place.run().counts()["sent"] == 1
    assert [recipient for recipient, _ in mails.kept] == [ADA]
    assert body(mails.to(ADA)[0], "plain").count(". Reward model ") == len(SMUGGLED)


@pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")
def test_03_smuggled_ends_are_one_message_to_smtp_sink(place: Workplace, tmp_path: Path) -> None:
    """The same to a server of other people."""
    _hostile_listing(place)
    capture = tmp_path / "capture"
    with sink("-D", str(capture)) as place.port:
        place.configure(subscriber())
        assert place.run().counts()["sent"] == 1
    captured = capture.read_text()
    assert re.findall(r"(?m)^X-Rcpt-Args: .*", captured) == [f"X-Rcpt-Args: <{ADA}>"]
    assert captured.count("\nMessage-ID: ") == captured.count("X-Mail-Args: ") == 1


ONCE = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type", "List-Id", "List-Unsubscribe")


@each_mail
def test_04_what_must_be_there_once_is_there_once(name: str) -> None:
    """To holds one address."""
    mail = parsed(MAILS[name])
    assert {header: len(mail.get_all(header, [])) for header in ONCE} == dict.fromkeys(ONCE, 1)
    assert len(mail["To"].addresses) == len(mail["From"].addresses) == 1


def test_05_every_attempt_sends_the_same_bytes(place: Workplace) -> None:
    """Deferred at the dot, then lost behind it, then taken: Message-ID, Date and all else stay."""
    place.listing("a.jsonl", [paper("A reward model")])

    async def attempts() -> tuple[list[bytes], list[str]]:
        async with ScriptedRelay({".": ["451 4.3.0 later", DROP]}) as server:
            place.port = server.port
            place.configure(subscriber(), extra="[delivery]\nretry_minutes = 5\n")
            for hours in range(4):
                await asyncio.to_thread(place.run, NOON + hours * 3600)
            return server.messages, server.accepted

    messages, accepted = asyncio.run(attempts())
    assert len(messages) == 3
    assert len(set(messages)) == 1
    assert accepted == [ADA]


@each_mail
def test_07_plain_text_first_and_nothing_missing_in_it(name: str) -> None:
    """7-bit on the wire; every link and heading of the HTML is in the text as well."""
    mail = parsed(MAILS[name])
    assert MAILS[name].isascii()
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    html, text = body(MAILS[name], "html"), body(MAILS[name], "plain")
    for link in Page(html).links:
        assert link.removeprefix("mailto:").removesuffix("?subject=unsubscribe") in text
    headings = [Page(heading).text for heading in re.findall(r"(?s)<h[12][ >].*?</h[12]>", html)]
    assert len(headings) > 1
    assert [heading for heading in headings if heading not in text] == []


@pytest.mark.parametrize("name", HAS_WEB)
def test_10_one_click_is_one_uri_on_one_line(name: str) -> None:
    """As RFC 8058 says, in the bytes as they travel; the address in it is the one of the footer."""
    [uri] = re.findall(rb"\r\nList-Unsubscribe: <(https://[^<>, ]+)>\r\n", MAILS[name])
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in bytes(MAILS[name])
    assert uri.decode() in Page(body(MAILS[name], "html")).links


def test_14_the_list_is_the_same_in_every_mail_and_has_help() -> None:
    """List-Id changes with neither day nor reader; List-Help is the page that is configured."""
    other = replace(SAMPLE, subscriber=99, email="bao@example.org", slot=SAMPLE.slot.replace(day=27), planned_at=0)
    mails = [parsed(mail) for mail in (MAILS["one entry"], MAILS["several profiles"], FULL.message(other, ENTRIES))]
    assert {mail["List-Id"] for mail in mails} == {"New papers <digest.example.org>"}
    assert {mail["List-Help"] for mail in mails} == {f"<{WEB}>"}


@each_mail
def test_15_and_16_a_program_sent_it_and_feedback_names_nobody(name: str) -> None:
    """Auto-Submitted and Feedback-ID; of the person there is nothing in either, nor elsewhere in the head but in To."""
    mail = parsed(MAILS[name])
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"[a-z-]+:::[a-z0-9.-]+", mail["Feedback-ID"])
    reader = mail["To"].addresses[0].username
    assert [header for header, value in mail.items() if reader in value] == ["To"]


@pytest.mark.parametrize("name", MAILS)
def test_30_one_can_leave_from_the_top_as_well_as_from_the_end(name: str) -> None:
    """A link before the first entry and one behind the last, to the same place; nothing is near the limit."""
    html = body(MAILS[name], "html")
    assert len(MAILS[name]) < 100_000
    leave = [f'href="{link}"' for link in Page(html).links if "unsubscribe" in link]
    assert len(leave) == 2
    assert leave[0] == leave[1]
    assert html.index(leave[0]) < html.index('id="e1"') < html.rindex(leave[0])


@each_mail
def test_31_the_page_says_what_a_reader_needs(name: str) -> None:
    """Language, direction, title, schemes, layout tables as such, a preheader first, and nothing to load."""
    html = body(MAILS[name], "html")
    page = Page(html)
    assert page.attributes("html")[0].items() >= {"lang": "en", "dir": "auto"}.items()
    assert re.search(r"<title>[^<]+</title>", html)
    assert {a["role"] for a in page.attributes("table")} == {"presentation"}
    assert {"color-scheme", "supported-color-schemes"} <= {a.get("name") for a in page.attributes("meta")}
    assert re.search(r'<body[^>]*>\s*<div[^>]*><div style="display:none[^>]*>\S', html)
    assert not {"img", "script", "link", "iframe", "form", "video"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|background=", html)


HOSTILE = "{{7*7}} {% raw %} <mj-raw> <script>alert(1)</script> k<n &amp; ]]> <!-- <b onload=x> </td></table>"


def test_32_what_a_listing_says_stays_text(place: Workplace, mails: Mails) -> None:
    """It is shown as it is written, but for entities, in both parts; links that are none are dropped."""
    bad = ["javascript:alert(1)", "data:text/html,x", " java\tscript:alert(1)", "https://", "//example.org"]
    place.listing("a.jsonl", [paper(f"{n} reward model {HOSTILE}", HOSTILE, url=url) for n, url in enumerate(bad)])
    place.run()
    (mail,) = mails.to(ADA)
    page = Page(body(mail, "html"))
    assert page.text.count(HOSTILE.replace("&amp;", "&")) >= len(bad)
    assert "{{7*7}} {% raw %} <mj-raw> <script>" in " ".join(body(mail, "plain").split())
    assert not {"script", "mj-raw", "b"} & {tag for tag, _ in page.tags}
    assert [link for link in page.links if not link.startswith(("https://huggingface.co/", "mailto:"))] == []


LINE_ENDS = ("\r\n", "\n", "\r", "\0", "\v", "\f", "\x1c", "\x1e", "\x85", "\u2028", "\u2029")
INJECTED = [
    *(f"x{end}Bcc: eve@example.org" for end in LINE_ENDS),
    *(f"=?utf-8?q?x=0{digit}Bcc:_eve=40example.org?=" for digit in "ADa"),
    "=?utf-8?b?eA0KQmNjOiBldmVAZXhhbXBsZS5vcmc=?=",
    "=?utf-8?q?=E2=80=A8Bcc:_eve?= =?utf-7?q?+AAo-Bcc?=",
    '"<eve@example.org>, x',
    "x\u202egro.elpmaxe@eve\u2066",
]
"""Line ends of every kind, and encoded-words that decode to one (CVE-2024-6923)."""


def _of_keyword(value: str) -> bytes:
    match = ONE.matches[0]
    reason = match.reasons[0]._replace(keyword=value)
    return FULL.message(replace(ONE, matches=(Match(match.entry, match.score, (reason,)),)), ENTRIES)


IN_HEADERS: Mapping[str, Callable[[str], bytes]] = {
    "keyword": _of_keyword,
    "reader": lambda value: FULL.message(replace(ONE, name=value), ENTRIES),
    "sender": lambda value: replace(FULL, sender=replace(SENDER, name=value)).message(ONE, ENTRIES),
}
"""Each place of a header that a subscriber or an operator fills; a listing fills none."""


@pytest.mark.parametrize("value", INJECTED)
@pytest.mark.parametrize("where", IN_HEADERS)
def test_33_no_value_becomes_a_header_or_an_address(where: str, value: str) -> None:
    """The headers are those of a harmless value, and none decodes to a control character."""
    mail, harmless = IN_HEADERS[where](value), IN_HEADERS[where]("harmless")
    message, raw = parsed(mail), message_from_bytes(mail, policy=compat32)
    assert message.keys() == raw.keys() == parsed(harmless).keys()
    decoded = [*message.values(), *(str(make_header(decode_header(value))) for value in raw.values())]
    assert [text for text in decoded if not text.isprintable()] == []
    assert [address.addr_spec for address in message["To"].addresses] == [ONE.email]
    assert [address.addr_spec for address in message["From"].addresses] == [SENDER.address]
