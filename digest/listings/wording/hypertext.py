"""HTML to text, and HTML found in what should be text.

Rules
-----
1. A tag is one of HTML or of JATS by its name, its attributes have values; anything else (`k<n`, `<EOS>`) is text.
2. Comments, scripts and styles go with what is in them; tags that begin a block become a space, others nothing.
3. `<sub>` and `<sup>` become signs (CO₂); a link keeps its words and its address.
4. Entities are decoded once; what then still is HTML, was escaped twice, and is read again.
5. Plain text holds HTML if it begins with a block, or a tag in it is closed, or ends a line, and if it is not all tags.
   A script or style alone shows nothing: such a text is about them.

Regular expressions, each linear, and no parser: html.parser takes quadratic time and raises on `<![x[`, nh3 writes
HTML again and puts no space where a block ends.
"""

from __future__ import annotations

import re
from html import unescape

from digest.addresses import usable
from digest.listings.wording import scripts
from digest.listings.wording.anchors import anchor

_BLOCKS = (
    "address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 head header hr html iframe img li link list list-item main meta nav "
    "noscript ol option p picture pre sec section select summary svg table tbody td textarea tfoot th thead title "
    "tr ul video"
)
_INLINE = (
    "a abbr acronym b bdi bdo big bold button cite code data del dfn disp-formula em font i inline-formula input "
    "ins italic kbd label mark math monospace object q ruby s samp sc script small source span strike strong "
    "style sub sup tex-math time tt u underline var wbr"
)
_VALUES = r"(?=[\s/]*>|\s[^<>]*=)(?:(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>|[^<>]*>)"
_TAG = re.compile(rf"<(/?)([a-z][a-z0-9:-]*){_VALUES}", re.IGNORECASE)
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)(?=[\s>]).*?(?:</\1\s*>|\Z)|<!\[CDATA\[|\]\]>|<(?:!doctype|\?xml)\b[^<>]*>"
    r"|<jats:title>\s*Abstract\s*</jats:title>",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(
    r"<a\s(?:[^<>]*?\s)?href\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)'|([^\s\"'<>]+))[^<>]*>((?:[^<]|<(?!/?a[\s>]))*)</a\s*>",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<((?:jats:)?su([bp]))>([^<]*)</\1>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-z][a-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_ALONE = frozenset(("br", "hr"))
_SILENT = frozenset(("script", "style"))
_BEGINNERS = frozenset(("p", "div", "html", "body", "h1", "h2", "h3", "h4", "table", "ul", "ol", "img"))
_GAPS = frozenset(_BLOCKS.split())
_NAMES = _GAPS.union(_INLINE.split())
_ESCAPED = 3
"""How many times over an entity may be escaped."""


def text_of(html: str) -> str:
    """The text that a browser would show of a piece of HTML, with spaces for its lines."""
    return plain(unescaped(_stripped(html)))


def plain(text: str) -> str:
    """Plain text without the HTML in it."""
    for _ in range(_ESCAPED):
        decoded = unescaped(text)
        if "<" in decoded and _is_html(decoded):
            stripped = unescaped(_stripped(decoded))
            decoded = stripped if stripped.strip() else decoded
        if decoded == text:
            break
        text = decoded
    return text


def unescaped(text: str) -> str:
    """The text with the signs that its entities stand for; one that nobody knows stays."""
    return _ENTITY.sub(lambda found: unescape(found[0]), text) if "&" in text else text


def _is_html(text: str) -> bool:
    """Rule 5."""
    begun: set[str] = set()
    for found in _TAG.finditer(text):
        name = found[2].lower()
        if not _is_name(name) or name in _SILENT:
            continue
        if name in _ALONE or ":" in name or (found[1] and name in begun):
            return True
        if not found[1] and name in _BEGINNERS and not text[: found.start()].strip():
            return True
        begun.add(name)
    return False


def _stripped(html: str) -> str:
    """HTML without tags, its entities as they are."""
    html = _SCRIPT.sub(_script, _UNSEEN.sub("", html))
    if "href" in html.lower():
        html = _LINK.sub(_link, html)
    return _TAG.sub(_gap, html)


def _script(found: re.Match[str]) -> str:
    text = unescape(found[3])
    return scripts.below(text) if found[2] in "bB" else scripts.above(text)


def _link(found: re.Match[str]) -> str:
    address = "".join((found[1] or found[2] or found[3] or "").split())
    words = _TAG.sub(_gap, found[4])
    return anchor(words, address) if usable(address) else words


def _gap(found: re.Match[str]) -> str:
    """What a tag leaves: a space where a block begins or ends."""
    name = found[2].lower()
    if not _is_name(name):
        return found[0]
    return " " if name.removeprefix("jats:") in _GAPS else ""


def _is_name(name: str) -> bool:
    return name in _NAMES or name.startswith(("jats:", "mml:"))
