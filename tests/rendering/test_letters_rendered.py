"""Letters as they are mailed: what they say, what they may not say, how they look, and the operator's own templates."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import strict
from functools import partial
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from dkim_verifiers import AT, BOTH, Dkimpy
from hypothesis import given, settings
from hypothesis import strategies as st
from wcag import contrast

from digest.delivery import dkim
from digest.delivery.message import Sender
from digest.errors import MessageError, TemplateError
from digest.letters import Letters, ends_at
from digest.press import Press
from digest.rendering.edition import Renderer, Site
from digest.rendering.templates import packaged
from digest.store.letters import Kind, Letter
from digest.tokens import read_passing

NOW = 1_795_158_000  # Friday, 20 November 2026, 07:00 UTC
WEB = "https://digest.example.org/papers/"
SECRETS = ("s" * 40,)
SITE = Site("digest@example.org", "New papers", WEB, "12 Library Lane, 1010 Exampletown")
SENDER = Sender("digest@example.org", "Paper Digest", list_name="New papers", reply_to="ada@example.org", help_url=WEB)
PRESS = Press(Renderer(None, SITE), SENDER, WEB, SECRETS)
LETTERS = Letters(PRESS, None, SITE)
KINDS: tuple[Kind, ...] = get_args(Kind)
TO = "bao@example.net"
MJML = (packaged() / "letter.mjml").read_text(encoding="utf-8")
kinds = pytest.mark.parametrize("kind", KINDS)


def letter(kind: Kind = "confirm", to: str = TO, attempts: int = 1) -> Letter:
    return Letter(7, kind, to, 31, attempts, NOW)


def parsed(one: Letter, made: Letters = LETTERS) -> EmailMessage:
    return email.message_from_bytes(made.message(one), policy=strict)


def bodies(one: Letter, made: Letters = LETTERS) -> tuple[str, str]:
    """The plain text and the HTML, with plain line ends."""
    plain, html = parsed(one, made).iter_parts()
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("kind", "subject"), [("confirm", "Please confirm: New papers"), ("sign-in", "Your link to New papers")]
)
def test_the_headers_say_who_writes_and_what_for(kind: Kind, subject: str) -> None:
    """They are those of an edition, but for a list of its own and no unsubscribing."""
    assert dict(parsed(letter(kind)).items()) == {
        "To": TO,
        "Subject": subject,
        "Date": "Fri, 20 Nov 2026 07:00:00 +0000",
        "Message-ID": f"<7.{NOW}.digest-letters@example.org>",
        "From": "Paper Digest <digest@example.org>",
        "Reply-To": "ada@example.org",
        "List-Id": "<digest-letters.example.org>",
        "List-Help": f"<{WEB}>",
        "Feedback-ID": "digest-letters:::bfabc3743295",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_digest"',
    }


@kinds
def test_both_parts_hold_the_link_and_the_html_twice(kind: Kind) -> None:
    """As a button and written out; it opens what the letter is for, and nothing else, until it ends."""
    plain, html = bodies(letter(kind))
    found = re.findall(r"^https://digest\.example\.org/papers/(\S+?)/(\S+)$", plain, re.MULTILINE)
    assert [path for path, _ in found] == [kind]
    token, link = found[0][1], f"{WEB}{kind}/{found[0][1]}"
    assert len(re.findall(rf'href="{re.escape(link)}"', html)) == 2
    assert f">{link}</a>" in html
    end = ends_at(letter(kind))
    other: Kind = "confirm" if kind == "sign-in" else "sign-in"
    assert read_passing(token, kind, SECRETS, end - 1) == 31
    assert read_passing(token, kind, SECRETS, end) is None
    assert read_passing(token, other, SECRETS, NOW) is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("confirm", ["Monday, 23 November 2026, 07:00 UTC", "Nothing is sent before", "Confirm my address"]),
        ("sign-in", ["for an hour, until Friday, 20 November 2026, 08:00 UTC", "Open my preferences"]),
    ],
)
def test_both_parts_say_what_it_is_for_and_until_when(kind: Kind, said: list[str]) -> None:
    """And what to do if it was somebody else."""
    for body in bodies(letter(kind)):
        words = " ".join(body.split())
        for phrase in (*said, "If this was not you, do nothing", "New papers", "12 Library Lane"):
            assert phrase in words


@kinds
def test_a_letter_is_the_same_at_every_try(kind: Kind) -> None:
    """Whoever makes it, and however often it was tried; another one has a Message-ID and a link of its own."""
    again = Letters(PRESS, None, SITE).message(letter(kind, attempts=9))
    assert LETTERS.message(letter(kind)) == again
    for other in (letter(kind)._replace(id=8), letter(kind)._replace(written_at=NOW + 1)):
        assert parsed(other)["Message-ID"] != parsed(letter(kind))["Message-ID"]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(KINDS), st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True))
def test_an_address_is_in_to_alone(kind: Kind, local: str) -> None:
    """It may be all that a stranger typed, so the rest of the bytes is the same for everybody."""
    to = f"q{local}@typed.example.com"
    made, usual = LETTERS.message(letter(kind, to)), LETTERS.message(letter(kind))
    assert made == usual.replace(TO.encode(), to.encode(), 1)


@pytest.mark.parametrize(
    "bad", ["a b@example.org", "a\r\nBcc: x@y.co@example.org", "<a>@example.org", "x" * 65 + "@y.co"]
)
def test_an_address_that_is_none_makes_no_letter(bad: str) -> None:
    """It would change the form of the message or of the SMTP command."""
    with pytest.raises(MessageError):
        LETTERS.message(letter(to=bad))


def test_the_name_of_the_site_is_text() -> None:
    """Whatever it holds: escaped in the HTML, on one line in the subject."""
    site = Site("digest@example.org", "A & <b>\r\nBcc: x@y.co", WEB)
    made = Letters(PRESS, None, site)
    message = parsed(letter(), made)
    assert str(message["Subject"]) == "Please confirm: A & <b> Bcc: x@y.co"
    assert message.keys() == parsed(letter()).keys()
    plain, html = bodies(letter(), made)
    assert "A & <b> Bcc: x@y.co" in plain
    assert "A &amp; &lt;b&gt; Bcc: x@y.co" in html
    assert "<b>" not in html


@kinds
def test_a_letter_is_signed_as_editions_are(kind: Kind, tmp_path: Path) -> None:
    """With every key, and the same at every try; a program of other people finds the signatures good."""
    signed = Press(PRESS.renderer, SENDER, WEB, SECRETS, partial(dkim.sign, BOTH))
    old = letter(kind)._replace(written_at=AT)
    mail = Letters(signed, None, SITE).message(old)
    assert Letters(signed, None, SITE).message(old) == mail
    changed = mail.replace(b"Subject: ", b"Subject: Re: ")
    assert Dkimpy(BOTH, tmp_path).passed(mail, changed) == [{one.selector for one in BOTH}, set()]
    assert mail.count(b" t=%d;" % AT) == 2


class _Page(HTMLParser):
    """What stands in a page: the tags, and the attributes of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@kinds
def test_a_screen_reader_is_told_what_it_needs(kind: Kind) -> None:
    """The language, a title, one heading, no table that is data, no picture; and the schemes are both known."""
    _, html = bodies(letter(kind))
    page = _Page(html)
    assert [attributes["lang"] for attributes in page.all("html")] == ["en"]
    assert len(page.all("h1")) == 1
    heading = re.search(r"<h1[^>]*>([^<]+)", html)
    title = re.search(r"<title>([^<]+)", html)
    assert heading
    assert title
    assert unescape(title[1]).strip() == unescape(heading[1]).strip()
    assert page.all("table")
    assert {attributes.get("role") for attributes in page.all("table")} == {"presentation"}
    assert not page.all("img")
    assert not page.all("script")
    schemes = [attributes for attributes in page.all("meta") if attributes.get("name") == "color-scheme"]
    assert [attributes["content"] for attributes in schemes] == ["light dark"]


@kinds
def test_an_inbox_shows_a_line_behind_the_subject(kind: Kind) -> None:
    """The preheader, which is hidden in the letter and comes first."""
    _, html = bodies(letter(kind))
    hidden = re.search(r'<div style="display:none[^>]*>\s*([^<]+)', html)
    assert hidden
    assert "The link works until" in hidden[1]
    assert hidden.start() < html.index("<h1")


def test_contrast_is_enough_in_both_schemes() -> None:
    """Every text on every ground it stands on has a contrast of 4.5 or more (WCAG 2.2 AA)."""
    dark = dict(re.findall(r"^ +(\.\w+|body, \.page|\.panel, [^{]+) \{ (.*) !important; \}$", MJML, re.MULTILINE))
    colours = {name: re.findall(r"#\w{6}", rule) for name, rule in dark.items()}
    grounds = {"light": ["#f4f5f7", "#ffffff"], "dark": colours["body, .page"] + colours[".panel, .panel > table"]}
    assert set(re.findall(r'<mj-[^>]*background-color="(#\w{6})"', MJML)) == set(grounds["light"])
    for name in ("ink", "quiet", "link"):
        light = set(re.findall(rf'class="{name}[^"]*"[^>]*[;"]color:(#\w{{6}})', MJML))
        assert len(light) == 1, name
        assert min(contrast(light.copy().pop(), ground) for ground in grounds["light"]) >= 4.5
        assert min(contrast(colours[f".{name}"][0], ground) for ground in grounds["dark"]) >= 4.5
    assert contrast("#1f4e8c", "#ffffff") >= 4.5
    assert contrast(*colours[".button"]) >= 4.5


def test_every_colour_has_a_dark_counterpart() -> None:
    """Each element with a colour of its own has a class that changes it in the dark, but those that inherit one."""
    for element in re.findall(r"<(?!mj-)[^>]*style=\"[^\"]*color:#\w{6}[^>]*>", MJML):
        assert re.search(r'class="[^"]*\b(ink|quiet|link|button)\b', element), element


def test_the_colours_are_those_of_the_digest() -> None:
    """One visual language."""
    digest = (packaged() / "digest.mjml").read_text(encoding="utf-8")
    assert set(re.findall(r"#[0-9a-f]{6}\b", MJML)) <= set(re.findall(r"#[0-9a-f]{6}\b", digest))


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    """It is used for the part that it is for; the other comes with the package."""
    (tmp_path / "letter.txt").write_text("Hello from {{ site.name }}: {{ letter.link }}\n", encoding="utf-8")
    plain, html = bodies(letter(), Letters(PRESS, tmp_path, SITE))
    assert plain.startswith("Hello from New papers: https://digest.example.org/papers/confirm/31.")
    assert "If this was not you" in html


@pytest.mark.parametrize("name", ["letter.mjml", "letter.txt"])
@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ("{{ letter.heading }}", "{{ letter.headding }}", "headding"),
        ("{{ letter.button }}", "{{ letter. }}", "expected"),
        ("{{ letter.button }}", "{{ letter.button }", "not closed"),
        ("{{ letter.link }}", "nothing", "never shows its link"),
        ("{% if site.postal_address %}", "{% if nosuch %}", "nosuch"),
    ],
)
def test_a_fault_in_a_template_is_named_before_the_first_letter(
    tmp_path: Path, name: str, good: str, bad: str, named: str
) -> None:
    """With file, line and column."""
    template = (packaged() / name).read_text(encoding="utf-8")
    assert good in template
    (tmp_path / name).write_text(template.replace(good, bad), encoding="utf-8")
    with pytest.raises(TemplateError, match=rf"{name}:\d+:\d+: .*{named}"):
        Letters(PRESS, tmp_path, SITE)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 375, 800])
def test_nothing_scrolls_sideways(width: int) -> None:
    """A long name of the site, a long web address, and the link wrap at every width."""
    screenshots = pytest.importorskip("screenshots", reason="needs playwright")
    if not Path(screenshots.CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    web = "https://digest.example.org/" + "path/" * 30
    site = Site("digest@example.org", "Pneumono" * 20, web, "x" * 200)
    made = Letters(Press(PRESS.renderer, SENDER, web, SECRETS), None, site)
    with screenshots.chromium() as browser:
        for kind in KINDS:
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.set_content(bodies(letter(kind), made)[1])
            assert page.evaluate("document.documentElement.scrollWidth") <= width
