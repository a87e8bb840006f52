"""What strangers must not get past: the secrets of [web], its public address, and the proxies it believes.

Rules
-----
1. A secret has at least 16 characters, 6 of them different, and stands in none of our examples. No message shows one.
2. The address of the pages is scheme, host, and perhaps port and path; links begin with it as it stands.
3. A proxy is believed by its IP address or network (uvicorn compares others as text, which never fits), never all.

Each public function returns its value in the form in which it is used. Raises ValueError with the fault in words.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_interface, ip_network
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_LEAST, _LEAST_DIFFERENT = 16, 6
_EXAMPLES = frozenset(("a long random text", "another long text", "another long random text"))
_SITE = re.compile(
    r"https?://(?P<login>[^/?#]*@)?(?:\w[\w.-]*|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[^/?#]*))?(?P<path>/[^?#]*)?(?P<rest>[?#].*)?"
)
_PORT = re.compile(r"[0-9]{1,5}")


def secret(given: SecretStr) -> SecretStr:
    """What signs links."""
    text = given.get_secret_value().strip()
    if text.lower() in _EXAMPLES:
        raise ValueError(f"this is the text of an example, which everybody knows; {MAKE_ONE}")
    if len(text) < _LEAST:
        raise ValueError(f"a secret has at least {_LEAST} characters; {MAKE_ONE}")
    if len(set(text)) < _LEAST_DIFFERENT:
        raise ValueError(f"a secret has at least {_LEAST_DIFFERENT} different characters; {MAKE_ONE}")
    return given


def token(given: SecretStr) -> SecretStr:
    """What opens the operator's pages ("": nothing does), without the spaces around it, as when it is typed."""
    return SecretStr(secret(given).get_secret_value().strip()) if given.get_secret_value() else given


def secret_url(secret: SecretStr) -> SecretStr:
    """An address to call ("": none), told of without it. Raises ValueError."""
    url = secret.get_secret_value()
    try:
        parts = urlsplit(url)
        fine = re.fullmatch(r"[!-~]+", url) and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if url and not fine:
        raise ValueError('not an address to call; write one like "https://hc-ping.com/your-uuid"')
    return secret


def site(url: str) -> str:
    """The public address of the pages ("": there are none)."""
    if url and (fault := _site_fault(url)):
        raise ValueError(fault)
    return url


def _site_fault(url: str) -> str:
    """What is wrong with an address; without the address, which may hold a password."""
    found = _SITE.fullmatch(url)
    if not found or not url.isprintable() or re.search(r'[\s\\<>"]', url):
        return 'not the address of a site; write it like "https://digest.example.org"'
    if found["login"]:
        return "this address stands in every mail, so there can be no name and no password in it; take them out"
    if found["rest"]:
        return "links begin with this address, so there can be no ? and no # in it; let it end before"
    if found["port"] is not None and not (_PORT.fullmatch(found["port"]) and 0 < int(found["port"]) < 65_536):
        return 'a port is a number from 1 to 65535; write it like "https://digest.example.org:8443", or leave it out'
    if {"", ".", ".."} & set(unquote(found["path"] or "").rstrip("/").split("/")[1:]):
        return 'the path has an empty part, or a . or .. in it; write it like "https://example.org/digest"'
    return ""


def proxy(text: str) -> str:
    """Whose word about the visitor's address is taken."""
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address or network{_meant(text)}") from None
    if not network.prefixlen:
        raise ValueError(f"{text!r} is everybody, who could claim any address; list the proxy's own address")
    return text


def _meant(text: str) -> str:
    with suppress(ValueError):
        return f"; its bits after the / must be 0, as in {str(ip_interface(text).network)!r}"
    return '; write the proxy\'s own, like "127.0.0.1", "10.0.0.0/8" or "::1"'
