"""A mail to the operator: something is broken, or is over. Its bytes pass the same gate as an edition's.

Rules
-----
1. The beginning and the end of an incident have one Message-ID each, so a retry repeats it.
2. The List-Id is not that of the editions, so that a filter can tell the two apart.
3. The gate lets no message pass without an HTML part: it says the same as the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape

from digest.alarms import Incident, headline, utc
from digest.delivery.check import check
from digest.delivery.headers import address_header, clean
from digest.delivery.message import Envelope, Sender, assemble
from digest.delivery.opening import connect
from digest.delivery.relay import Relay
from digest.delivery.verdict import Blame, Result, verdict
from digest.errors import RelayError
from digest.model import Rendered, State

_SUBJECT = 78
_LABEL = "digest-alarms"


def compose(
    incident: Incident, sender: Sender, recipient: str, now: int, encode: Callable[[str], bytes]
) -> list[bytes]:
    """The mail about an incident as it stands; `now` is its Date, `encode` gives one piece of quoted-printable."""
    text = body(incident)
    html = f'<!doctype html>\n<html lang="en"><body style="white-space: pre-wrap">{escape(text)}</body></html>\n'
    return assemble(
        address_header("To", "", recipient),
        Rendered(subject(incident), [encode(html)], [encode(text)]),
        replace(sender, label=_LABEL, list_name=""),
        number=f"{incident.id}.{incident.opened_at}.{_stage(incident)}",
        at=(now, "UTC"),
    )


def subject(incident: Incident) -> str:
    """The subject line, at most 78 characters; of a long path the end."""
    start = f"[Digest] {_stage(incident)}: "
    kind, name = incident.kind, clean(incident.subject)
    excess = len(start + headline(kind, name)) - _SUBJECT
    return start + headline(kind, f"…{name[excess + 1 :]}" if excess > 0 else name)


def body(incident: Incident) -> str:
    """What is or was broken, since when, what to do, and where to look."""
    what, words = headline(incident.kind, clean(incident.subject)), clean(incident.words)
    if incident.closed_at is None:
        return (
            f"Broken since {utc(incident.opened_at)}: {what}.\n\n{words}\n\n"
            "See how things stand: digest status\nAnother mail comes when it is over, and none until then.\n"
        )
    unheard = "" if incident.told else "\nThere was no mail about its beginning."
    return (
        f"Over since {utc(incident.closed_at)}: {what}.\n\nIt began {utc(incident.opened_at)}. It said: {words}\n\n"
        f"Nothing is left to do. See how things stand: digest status{unheard}\n"
    )


async def send(relay: Relay, mail_from: str, messages: Mapping[str, Sequence[bytes]]) -> None:
    """Send each recipient (at least one) a message, over one connection. It is enough if one of them arrives.

    Raises RelayError if none did, and MessageError before anything is sent if one breaks a rule of the wire.
    """
    checked = {recipient: check(message, recipient) for recipient, message in messages.items()}
    connection = await connect(relay)
    try:
        results = {to: await connection.sent(Envelope(mail_from, to), message) for to, message in checked.items()}
    finally:
        await connection.close()
    if not any(verdict(result).state is State.SENT for result in results.values()):
        reasons = "; ".join(f"{to}: {_reason(result)}" for to, result in results.items())
        raise RelayError(f"{relay} took no mail to the operator: {clean(reasons)}")


def _reason(result: Result) -> str:
    words = f"{result.code or ''} {result.reply}"
    return f"it refuses us at {result.phase}: {words}" if verdict(result).blame is Blame.US else words


def _stage(incident: Incident) -> str:
    return "broken" if incident.closed_at is None else "over"
