"""The identities of an entry, strongest first; two entries with one in common are the same.

Rules
-----
1. `doi:` lower case, without prefix; an arXiv DOI (10.48550) is the arXiv id and no key of its own.
2. `arxiv:` without version, from the field, the DOI or a URL; an old id without its subject class (`math/0309136`).
3. `openreview:` and `acl:` from URLs of these sites.
4. `url:` scheme and host in lower case, no default port, fragment, `utm_` parameter or slash at the end.
5. `title:` always, last: letters, marks and digits of the title (NFKC, case folded), each run of other signs one space.
   A title without any, or longer than 400 characters, is told by its hash.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from digest.addresses import untracked

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_DOI_IN_PATH = re.compile(r"/doi/(?:(?:abs|full|pdf|epdf|fullHtml)/)?(10\.\d{4,9}/[^\s?#]+)")
_ARXIV_ID = r"(?P<id>\d{4}\.\d{4,5}|[a-z][a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v(?P<version>\d{1,3}))?"
_ARXIV = re.compile(rf"(?:arxiv:\s*)?{_ARXIV_ID}(?:\.pdf)?", re.IGNORECASE)
_ARXIV_DOI = re.compile(rf"10\.48550/arxiv\.{_ARXIV_ID}", re.IGNORECASE)
_ARXIV_PATH = re.compile(rf"/(?:abs|pdf|html|format|ps|e-print|papers)/{_ARXIV_ID}(?:\.pdf)?/?", re.IGNORECASE)
_ARXIV_HOSTS = frozenset(
    ("arxiv.org", "export.arxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org", "alphaxiv.org", "huggingface.co")
)
_DOI_HOSTS = frozenset(("doi.org", "dx.doi.org"))
_ACL_HOSTS = frozenset(("aclanthology.org", "aclweb.org"))
_ACL_PATH = re.compile(
    r"/(?:anthology/)?([a-z]\d{2}-\d{4}|\d{4}\.[a-z0-9_-]+\.\d+)(?:v\d+)?(?:\.pdf)?/?", re.IGNORECASE
)
_PORTS = {"http": 80, "https": 443}
_ASCII_WORD = re.compile("[a-z0-9]+")
_LONGEST = 400


class _Address(NamedTuple):
    """A web address in its parts. `port` is None where it is the usual one."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @property
    def site(self) -> str:
        """The host as sites are listed above."""
        return self.host.removeprefix("www.")


def keys(title: str, url: str = "", doi: str = "", arxiv: str = "") -> tuple[str, ...]:
    """Every identity that can be told from a title and what is known beside it."""
    address = _address(url)
    found = [*_strong(address, doi.strip(), arxiv.strip())]
    if address:
        found.append(f"url:{_canonical(address)}")
    return (*dict.fromkeys(found), f"title:{_told(title)}")


def title_words(text: str) -> list[str]:
    """The words of a text as they stand in the keys of titles (rule 5)."""
    return _told(text).split()


def doi_name(text: str) -> str:
    """The DOI in a field that holds one, with or without its prefix: lower case, "" if there is none."""
    found = _DOI.search(text.strip())
    return found.group().rstrip(".,;").lower() if found else ""


def arxiv_id(text: str) -> str:
    """The arXiv id in a field that holds one, without version and subject class; "" if there is none."""
    found = _ARXIV.fullmatch(text.strip())
    return _plain_id(found) if found else ""


def arxiv_page(text: str) -> str:
    """The address of the newest version of what an arXiv id names; "" if the text is none."""
    number = arxiv_id(text)
    return f"https://arxiv.org/abs/{number}" if number else ""


def arxiv_version(text: str) -> int:
    """The version in a field or URL that holds an arXiv id with one; 0 if it does not."""
    address = _address(text)
    found = _arxiv_path(address) if address else _ARXIV.fullmatch(text.strip())
    return int(found["version"] or 0) if found else 0


def _strong(address: _Address | None, doi: str, arxiv: str) -> Iterator[str]:
    name = doi_name(doi) or _doi_of(address)
    preprint = _ARXIV_DOI.match(name)
    if name and not preprint:
        yield f"doi:{name}"
    number = arxiv_id(arxiv) or (_plain_id(preprint) if preprint else _arxiv_of(address) or _arxiv_of(_address(arxiv)))
    if number:
        yield f"arxiv:{number}"
    if address:
        yield from _venues(address)


def _venues(address: _Address) -> Iterator[str]:
    host = address.site
    if host == "openreview.net":
        yield from (f"openreview:{value}" for name, value in parse_qsl(address.query) if name == "id")
    elif host in _ACL_HOSTS and (found := _ACL_PATH.fullmatch(address.path)):
        yield f"acl:{found[1].lower()}"


def _doi_of(address: _Address | None) -> str:
    if address is None:
        return ""
    if address.site in _DOI_HOSTS:
        return doi_name(address.path)
    found = _DOI_IN_PATH.search(address.path)
    return doi_name(found[1]) if found else ""


def _arxiv_of(address: _Address | None) -> str:
    found = _arxiv_path(address) if address else None
    return _plain_id(found) if found else ""


def _arxiv_path(address: _Address) -> re.Match[str] | None:
    return _ARXIV_PATH.fullmatch(address.path) if address.site in _ARXIV_HOSTS else None


def _plain_id(found: re.Match[str]) -> str:
    """`math.GT/0309136` and `math/0309136` are one paper."""
    return re.sub(r"\.[a-z]{2}/", "/", found["id"].lower())


@lru_cache(maxsize=8)  # several things are asked of the address of one entry
def _address(url: str) -> _Address | None:
    """A web address in its parts; None for anything else."""
    if ":" not in url:
        return None
    try:
        parts = urlsplit(untracked(url.strip()))
        host, port = parts.hostname, parts.port
    except ValueError:  # a broken IPv6 host or port
        return None
    if not host or parts.scheme not in _PORTS:
        return None
    return _Address(parts.scheme, host, None if port == _PORTS[parts.scheme] else port, parts.path, parts.query)


def _canonical(address: _Address) -> str:
    port = "" if address.port is None else f":{address.port}"
    query = parse_qsl(address.query, True)
    text = f"{address.scheme}://{address.host}{port}{address.path.rstrip('/')}"
    return f"{text}?{urlencode(query)}" if query else text


def _told(title: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())
    if folded.isascii():
        words = " ".join(_ASCII_WORD.findall(folded))
    else:
        words = " ".join("".join(sign if _of_a_word(sign) else " " for sign in folded).split())
    if 0 < len(words) <= _LONGEST:
        return words
    raw = words or " ".join(title.split())
    return "sha256-" + hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _of_a_word(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign)[0] == "M"
