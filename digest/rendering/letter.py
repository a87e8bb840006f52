"""A letter becomes the two bodies of a mail: a pure function of its words and the templates.

Rules
-----
1. The templates are proved before the first letter is rendered: they have no fault, and both show the link.
2. The link stands in the HTML as a button and written out, for clients that show no buttons.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

from digest.model import Rendered
from digest.rendering.clean import clean
from digest.rendering.edition import Site
from digest.rendering.quoted import encode
from digest.rendering.templates import Template, load_html, load_text

HTML, TEXT = "letter.mjml", "letter.txt"


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says. All of it is ours: nothing that a stranger typed may be in it."""

    subject: str
    preheader: str
    heading: str
    paragraphs: tuple[str, ...]
    button: str
    link: str


class LetterRenderer:
    """Renders letters. To make one compiles and proves the templates; any fault in them is a `TemplateError`."""

    def __init__(self, templates: Path | None, site: Site) -> None:
        """`templates` is the operator's own folder; what is not there comes with the package."""
        self._site = Site(*map(clean, astuple(site)))
        self._html, self._text = load_html(templates, {}, HTML), load_text(templates, {}, TEXT)
        for template in (self._html, self._text):
            if _SAMPLE.link not in self._whole(template, _SAMPLE):
                raise template.source.fault("the template never shows its link, letter.link")

    def render(self, words: Words) -> Rendered:
        """The subject and both bodies; the same for the same words."""
        bodies = (encode(self._whole(template, words)) for template in (self._html, self._text))
        return Rendered(words.subject, *([body] for body in bodies))

    def _whole(self, template: Template, words: Words) -> str:
        return template.whole({"site": self._site, "letter": words})


_SAMPLE = Words(
    "A subject", "A line", "A heading", ("A paragraph.", "Another."), "A button", "https://example.org/a/7.b"
)
