"""The published DKIM records of the keys that sign (RFC 6376 3.6.1, RFC 8463)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.doctor.dns import Dns
from digest.doctor.findings import Finding, Level
from digest.doctor.tags import TagError, read_tags


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key that signs: its file, and the domain and selector under which receivers look for its public half.

    `record` is what belongs there, as `digest dkim keygen` prints it, and `fault` why there is none.
    """

    domain: str
    selector: str
    file: Path
    record: str = ""
    fault: str = ""

    @property
    def name(self) -> str:
        """Where the record is published."""
        return f"{self.selector}._domainkey.{self.domain}"


def dkim(dns: Dns, key: DkimKey) -> Iterator[Finding]:
    """The published record is the public half of the key that signs."""
    found = dns.texts(key.name)
    if not found:
        why = "Receivers cannot verify what is signed with it"
        remedy = f'Publish there: "{key.record}"' if key.record else "Publish what digest dkim keygen printed"
        yield Finding("DKIM", Level.ERROR, f"there is no TXT record at {key.name}", why, remedy)
        return
    if len(found) > 1:
        why = "Which of them a receiver takes is not defined (RFC 6376 3.6.2.2)"
        yield Finding("DKIM", Level.ERROR, f"there are {len(found)} TXT records at {key.name}", why, "Leave one")
        return
    try:
        tags = read_tags(found[0])
    except TagError as error:
        yield Finding("DKIM", Level.ERROR, f"{key.name}: {error}", "Receivers cannot read the record", "Correct it")
        return
    yield from _published(key, tags)


def _published(key: DkimKey, tags: dict[str, str]) -> Iterator[Finding]:
    if faults := "; ".join(_key_faults(key, tags)):
        remedy = f'Publish: "{key.record}"' if key.record else ""
        yield Finding("DKIM", Level.ERROR, f"{key.name}: {faults}", "So no signature verifies", remedy)
    elif not key.record:
        yield Finding("DKIM", Level.WARNING, f"{key.name} is published; the key file cannot be compared with it")
    else:
        yield Finding("DKIM", Level.OK, f"{key.name} holds the public half of the key file ({_kind(tags)})")
    if "y" in tags.get("t", "").split(":"):
        why = "Receivers may treat signed mail as unsigned"
        yield Finding("DKIM", Level.NOTE, f"{key.name} says t=y, testing", why, "Remove it when you are done")


def _key_faults(key: DkimKey, tags: dict[str, str]) -> Iterator[str]:
    """What keeps signatures made with the key from being verified."""
    ours = read_tags(key.record)
    if tags.get("v", "DKIM1") != "DKIM1":
        yield f"v={tags['v']} is no DKIM record"
    if "p" not in tags:
        yield "the record has no p=, the public key"
    elif not tags["p"]:
        yield "the key is revoked: p= is empty"
    elif ours and _kind(tags) != _kind(ours):
        yield f"the record says k={_kind(tags)}, and the key file holds {_kind(ours)}"
    elif ours and _squeezed(tags["p"]) != _squeezed(ours["p"]):
        yield "the record holds another public key than the key file"
    if "sha256" not in _listed(tags.get("h", "sha256")):
        yield f"h={tags['h']} does not allow sha256"
    if not {"*", "email"} & _listed(tags.get("s", "*")):
        yield f"s={tags['s']} does not allow mail"


def _kind(tags: dict[str, str]) -> str:
    return tags.get("k", "rsa").lower()


def _listed(value: str) -> set[str]:
    return {part.strip().lower() for part in value.split(":")}


def _squeezed(value: str) -> str:
    return "".join(value.split())
