r"""Text as papers have it, with markup of HTML and LaTeX, to plain readable text on one line.

Rules, in this order
--------------------
1. HTML goes: all of it where the text is HTML, else entities and what is clearly tags (see `hypertext`).
2. Links of Markdown are written plainly (see `anchors`).
3. LaTeX goes (see `latex`).
4. White space becomes one space, and what no text may hold goes (see `decode`).

A text that has been read is not changed when it is read again, but for what its author escaped on purpose: `\{x\}`,
`\$`, `&amp;amp;`, a macro named by its `\textbackslash`.
"""

from __future__ import annotations

from digest.listings.wording.anchors import unwrapped
from digest.listings.wording.decode import tidy
from digest.listings.wording.hypertext import plain, text_of
from digest.listings.wording.latex import readable_latex


def readable(text: str, *, html: bool = False) -> str:
    """The text on one line, without markup; `html`: it is HTML, and no plain text."""
    if html:
        text = text_of(text)
    elif "&" in text or "<" in text:
        text = plain(text)
    if ("[" in text and "](http" in text) or ("<" in text and "<http" in text):
        text = unwrapped(text)
    if "\\" in text or "{" in text or "$" in text or "--" in text or ("`" in text and "``" in text):
        text = readable_latex(text)
    return tidy(text)
