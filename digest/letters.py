"""Letters: the mails that confirm an address and let people sign in. From a row of the store to the bytes of its mail.

Rules
-----
1. The same letter has the same bytes at every try: Date and link are of the moment when it was written, and Message-ID
   is a function of its number and that moment.
2. No text that a stranger typed is in it; the address stands in To alone.
3. The List-Id is not that of the editions, so that a filter can tell the two apart.
4. A letter whose link has ended is of no use and is not sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from digest import tokens
from digest.delivery.check import Checked
from digest.delivery.headers import address_header
from digest.delivery.message import assemble
from digest.press import Press
from digest.rendering.clean import clean
from digest.rendering.edition import Site
from digest.rendering.letter import LetterRenderer, Words
from digest.rendering.subject import long_date
from digest.store.letters import Letter
from digest.tokens import LIFETIMES

_LABEL = "digest-letters"


class Letters:
    """What makes messages of letters. To make one proves the templates; any fault in them is a `TemplateError`."""

    def __init__(self, press: Press, templates: Path | None, site: Site) -> None:
        """`templates` is the operator's own folder; sender, links and signatures are like those of `press`."""
        self._press, self._renderer, self._name = press, LetterRenderer(templates, site), clean(site.name)
        self._sender = replace(press.sender, label=_LABEL, list_name="")

    def message(self, letter: Letter) -> Checked:
        """A letter's mail. Raises MessageError if it breaks a rule of the wire."""
        pieces = assemble(
            address_header("To", "", letter.email),
            self._renderer.render(self._words(letter)),
            self._sender,
            number=f"{letter.id}.{letter.written_at}",
            at=(letter.written_at, "UTC"),
        )
        return self._press.sealed(pieces, letter.email, letter.written_at)

    def _words(self, letter: Letter) -> Words:
        token = tokens.sign_passing(letter.kind, letter.whose, self._press.secrets, letter.written_at)
        link = f"{self._press.web_url.rstrip('/')}/{letter.kind}/{token}"
        write = _confirm if letter.kind == "confirm" else _sign_in
        return write(self._name, link, _moment(ends_at(letter)))


def ends_at(letter: Letter) -> int:
    """From when on its link is refused, in epoch seconds."""
    return letter.written_at + LIFETIMES[letter.kind]


def _confirm(name: str, link: str, end: str) -> Words:
    return Words(
        subject=f"Please confirm: {name}",
        preheader=f"One more step, and your digest begins. The link works until {end}.",
        heading="Please confirm your address",
        paragraphs=(
            f"Somebody, most likely you, asked {name} to write to this address when new papers match some keywords.",
            f"Is that right? Then open the page below and press its button. Nothing is sent before. The link works "
            f"until {end}.",
        ),
        button="Confirm my address",
        link=link,
    )


def _sign_in(name: str, link: str, end: str) -> Words:
    return Words(
        subject=f"Your link to {name}",
        preheader=f"To your keywords, times and pauses. The link works until {end}.",
        heading="Your link to sign in",
        paragraphs=(
            "It opens your preferences: keywords, times, and a pause if you need one.",
            f"The link works for an hour, until {end}. Whoever has it can change your preferences, so pass it on to "
            "nobody.",
        ),
        button="Open my preferences",
        link=link,
    )


def _moment(seconds: int) -> str:
    """As in "Monday, 23 November 2026, 12:00 UTC"."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{long_date(at.date())}, {at:%H:%M} UTC"
