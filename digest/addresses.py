"""Web addresses in running text: found, cleaned of the sentence around them, and told apart.

Rules
-----
1. An address has http or https and a host; anything else (`javascript:`, `data:`) is none. One that begins with `www.`
   or with a well-known host of code needs no scheme, and gets https.
2. Space, quotes, braces, `<`, `>` and CJK punctuation end it, and a comma or semicolon before the next address does.
3. Punctuation at its end belongs to the sentence; a closing bracket does, too, unless it is opened in the address.
4. Parameters that begin with `utm_` only count readers.
5. Two are one if they differ only in scheme, `www.`, capitals, such parameters, and a slash or `.git` at the end.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_BARE = r"www\.[\w-]+\.\w|(?:github\.com|gitlab\.com|huggingface\.co|hf\.co|codeberg\.org|bitbucket\.org)/[\w-]"
_ADDRESS = re.compile(
    rf"(?:https?://|(?<![\w@/.:=-])(?={_BARE}|[\w-]+\.github\.io\b))"
    r"(?:[^\s<>\"'`{}|\\^“”，。；：、（）【】「」,;]|[,;](?!https?://))+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_SAME = re.compile(r"https?://(?:www\.)?|www\.")
_COUNTER = re.compile("utm_", re.IGNORECASE)
_CLOSING = {")": "(", "]": "["}


def addresses(text: str) -> tuple[str, ...]:
    """The usable addresses in a text, each once, in order."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        address = _trimmed(match[0])
        address = address if _SCHEME.match(address) else f"https://{address}"
        if usable(address):
            found.setdefault(same(address), address)
    return tuple(found.values())


def usable(address: str) -> bool:
    """Whether a text is an address and nothing else (rule 1)."""
    try:
        parts = urlsplit(address)
    except ValueError:  # a broken IPv6 host
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in address


def same(address: str) -> str:
    """What two addresses have in common that are one (rule 5)."""
    return _SAME.sub("", untracked(address).lower(), count=1).rstrip("/").removesuffix(".git")


def untracked(address: str) -> str:
    """An address without the parameters that only count readers (rule 4); all else as it stands."""
    if not _COUNTER.search(address):
        return address
    page, at, place = address.partition("#")
    path, _, query = page.partition("?")
    kept = "&".join(one for one in query.split("&") if one and not _COUNTER.match(one))
    return f"{path}?{kept}{at}{place}" if kept else f"{path}{at}{place}"


def _trimmed(address: str) -> str:
    """An address without what belongs to the sentence (rule 3)."""
    brackets = {sign: address.count(sign) for sign in "()[]"}
    end = len(address)
    while end and (address[end - 1] in ".,;:!?*…" or _left_open(address[end - 1], brackets)):
        brackets[address[end - 1]] = brackets.get(address[end - 1], 0) - 1
        end -= 1
    return address[:end]


def _left_open(sign: str, brackets: dict[str, int]) -> bool:
    return sign in _CLOSING and brackets[_CLOSING[sign]] < brackets[sign]
