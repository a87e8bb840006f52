"""The mails under judges of other people: SpamAssassin, caniemail, html-validate, axe-core.

What a judge objects to is cured, or is accepted here with the reason. An accepted finding that no judge makes any more
fails as well, so that these lists stay true.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from mail_samples import ALARM_MAIL, MAILS

SPAMASSASSIN, NODE = shutil.which("spamassassin"), shutil.which("node")

AS_RECEIVED = (
    b"Received: from relay.example.org (relay.example.org [203.0.113.25])\r\n"
    b"\tby mx.example.com (Postfix) with ESMTPS id 4XyZ12345; Fri, 20 Nov 2026 06:00:02 +0000 (UTC)\r\n"
)
"""What the receiver's server puts on top."""

SPAM_RULES = {
    "HTML_MESSAGE": "a digest has an HTML part beside the text (0.001 points)",
    "RCVD_ILLEGAL_IP": "the address in the header AS_RECEIVED is one for documentation (RFC 5737)",
}

CANIEMAIL = {
    "It only adds to the looks: without it every word is there, in order, and readable.": (
        ":hover",
        "border-radius",
        "letter-spacing",
        "outline",
        "white-space",
        "word-spacing",
    ),
    "Where styles in the head are dropped, the inline ones make the light, narrow mail that a telephone shows.": (
        "!important keyword",
        "<style> element",
        "@media",
        "Chaining selectors",
        "Class selector",
        "Descendant combinator",
        "ID selector",
        "Type selector",
    ),
    "Where it is unknown, the client darkens the colours of the light scheme in its own way.": (
        "color-scheme CSS property",
        "color-scheme meta tag",
    ),
    "They hide the preheader, each where another is unknown; it is a line of titles that is seen again below.": (
        "display:none",
        "max-height property",
        "opacity",
        "overflow",
    ),
    "Partial only in values that the templates do not use (negative, auto, rem, several, flex, on images).": (
        "background",
        "display",
        "font-size",
        "margin",
        "text-align",
        "text-decoration",
        "width attribute",
        "height attribute",
        "align attribute",
    ),
    "Outlook for Windows: cells have padding and width, what stands in them margins; elsewhere it only adds space.": (
        "border",
        "height property",
        "line-height",
        "max-width",
        "padding",
        "width property",
    ),
    "Outlook for Windows knows normal and bold alone, and takes 600 for bold.": ("font-weight",),
    "Only a word longer than the line needs it; each of the two is known where the other is not, but in Yahoo.": (
        "overflow-wrap",
        "word-break",
    ),
    "The client puts a div of its own in place of the body; the page's colour is on our outermost div as well.": (
        "<body> element",
    ),
    "Without a web page: the address stands there to be copied, and List-Unsubscribe has it as well.": (
        "mailto: links",
    ),
    "The list of titles at the top is worth reading where a click on it does nothing.": ("Local anchors",),
    "Said for screen readers and for text from right to left; where it is dropped, the mail reads as others do.": (
        "aria-label attribute",
        "dir attribute",
        "direction",
        "lang attribute",
        "role attribute",
    ),
    "caniemail knows no more than that support is partial; cells have their padding inline as well.": (
        "HTML comments",
        "border-collapse",
        "cellpadding attribute",
        "cellspacing attribute",
    ),
}
"""Why not every client needs to support it → what."""

HTML_RULES = {
    "doctype-style": "MJML writes it in small letters, which means the same",
    "no-conditional-comment": "Outlook for Windows takes its layout from them",
    "no-deprecated-attr": "Outlook for Windows reads width, align and padding of layout tables from attributes",
    "no-inline-style": "clients that drop the styles of the head keep these",
    "prefer-native-element": "MJML writes role=article, which clients keep where they drop <article>",
    "prefer-tbody": "a browser adds it; here it would be bytes for nothing",
    "void-style": "<br /> is the same as <br>",
}

AXE_RULES = {
    "landmark-one-main": "the mail is shown inside the page of a mail client, which has a main landmark of its own",
    "region": "as above",
}

CONTROL = '<!doctype html><html lang="en"><body><div style="display:grid;color:#aaa"><img src="x"></div></body></html>'
"""A page that each judge must object to."""


def html_of(mail: bytes) -> str:
    """The HTML part, as a client decodes it."""
    part = message_from_bytes(mail, policy=default).get_body(["html"])
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


@pytest.mark.skipif(SPAMASSASSIN is None, reason="install the Debian package spamassassin")
def test_spamassassin_finds_nothing_that_our_bytes_could_cure(tmp_path: Path) -> None:
    """Local rules only; a mail with white text on white shows that it looks."""
    mails = {**MAILS, "alarm": ALARM_MAIL, "control": MAILS["bare"].replace(b"#5c6570", b"#ffffff")}
    for name, mail in mails.items():
        (tmp_path / name).write_bytes(AS_RECEIVED + mail)
    hits = dict(zip(mails, _spam_rules(tmp_path, list(mails)), strict=True))
    assert "HTML_FONT_LOW_CONTRAST" in hits.pop("control")
    assert {name: found - SPAM_RULES.keys() for name, found in hits.items()} == {name: set() for name in hits}
    assert set().union(*hits.values()) == SPAM_RULES.keys()


def _spam_rules(folder: Path, names: list[str]) -> Iterator[set[str]]:
    """The rules that hit each mail: one process for all, with the rules of the package and no memory."""
    assert SPAMASSASSIN
    tagged = subprocess.run(
        [
            SPAMASSASSIN,
            "--local",
            "--nocreate-prefs",
            "--configpath=/usr/share/spamassassin",
            "--cf=use_bayes 0",
            *names,
        ],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        text=True,
        timeout=120,
        check=True,
    ).stdout
    for rules in re.findall(r"^X-Spam-Status: .*\n?.* tests=((?:\w|,\s*)*)", tagged, re.MULTILINE):
        yield set(re.split(r",\s*", rules))


@pytest.fixture(scope="module")
def verdicts(judges: Path) -> Mapping[str, Any]:
    """What caniemail and html-validate find: mail → judge → finding → where."""
    assert NODE
    pages = {name: html_of(mail) for name, mail in MAILS.items()} | {"control": CONTROL}
    for name, page in pages.items():
        (judges / f"{name}.html").write_text(page, encoding="utf-8", newline="")
    subprocess.run([NODE, "judge.mjs", judges], cwd=judges, timeout=120, check=True)
    found: Mapping[str, Any] = json.loads((judges / "verdicts.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "accepted", "wrong"),
    [
        ("caniemail", {what for some in CANIEMAIL.values() for what in some}, "display:grid"),
        ("html-validate", set(HTML_RULES), "wcag/h37"),
    ],
)
def test_what_clients_cannot_show_and_what_html_forbids_is_accepted_with_a_reason(
    verdicts: Mapping[str, Any], judge: str, accepted: set[str], wrong: str
) -> None:
    """Nothing is found beside what is listed above, and all of that is; the control page is objected to."""
    assert wrong in verdicts["control"][judge]
    found = {finding: where for name in MAILS for finding, where in verdicts[name][judge].items()}
    assert {finding: where for finding, where in found.items() if finding not in accepted} == {}
    assert accepted - found.keys() == set()


@pytest.mark.slow
def test_axe_finds_no_barrier_in_either_scheme(judges: Path) -> None:
    """Contrast of every text, names of links, headings, roles: on a telephone and a desk, light and dark."""
    screenshots = pytest.importorskip("screenshots", reason="needs playwright")
    if not Path(screenshots.CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    axe = (judges / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    with screenshots.chromium() as browser:
        for width, scheme in zip(screenshots.WIDTHS, screenshots.SCHEMES, strict=True):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            passed, found = _barriers(page, axe, CONTROL)
            assert {"image-alt", "document-title"} <= found.keys()
            for name in ("bare", "several profiles", "no web page"):
                passed, found = _barriers(page, axe, html_of(MAILS[name]))
                assert {"color-contrast", "link-name", "document-title", "html-has-lang"} <= passed
                assert {rule: where for rule, where in found.items() if rule not in AXE_RULES} == {}
                assert AXE_RULES.keys() <= found.keys()


def _barriers(page: Any, axe: str, html: str) -> tuple[set[str], dict[str, str]]:
    """The rules of axe that a page passes, and those that it breaks, or may break, with the first place."""
    page.set_content(html)
    page.evaluate(axe)
    verdict = page.evaluate("axe.run()")
    broken = verdict["violations"] + verdict["incomplete"]
    return {rule["id"] for rule in verdict["passes"]}, {rule["id"]: rule["nodes"][0]["html"] for rule in broken}
