"""Editions per second to final bytes, beside the usual ways, in one run on one core.

    python benchmarks/rendering.py [--subscribers 20000]

"Final bytes" is the whole message: headers, both bodies transfer-encoded, boundary lines. Highlighting is included in
ours; the peers get their snippets and marks ready-made.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from functools import partial

from editions import SITE, synthetic, whole
from mjml import mjml2html

from digest.delivery.message import Sender, compose
from digest.model import Edition, Entry, Rendered
from digest.rendering.edition import Links, Renderer
from digest.rendering.places import read
from digest.rendering.quoted import encode
from digest.rendering.templates import HTML, Template, find, load_html, load_text

SENDER = Sender("digest@example.org", "Digest")


def links(edition: Edition) -> Links:
    """Addresses that are each subscriber's own, as signed ones are."""
    token = hashlib.sha256(str(edition.id).encode()).hexdigest()[:28]
    return Links(*(f"https://digest.example.org/{name}/{token}" for name in Links.__slots__))


def message(edition: Edition, rendered: Rendered, own: Links) -> bytes:
    return b"".join(compose(edition, rendered, SENDER, own.unsubscribe))


def ours(renderer: Renderer, entries: dict[int, Entry], edition: Edition) -> bytes:
    own = links(edition)
    return message(edition, renderer.render(edition, entries, own), own)


def jinja(html: Template, text: Template, entries: dict[int, Entry], edition: Edition) -> bytes:
    own = links(edition)
    values = whole(edition, entries, own)
    return message(edition, Rendered("Digest", (encode(html.whole(values)),), (encode(text.whole(values)),)), own)


def mjml(source: Template, text: Template, entries: dict[int, Entry], edition: Edition) -> bytes:
    own = links(edition)
    values = whole(edition, entries, own)
    html = mjml2html(source.whole(values), fonts={})
    return message(edition, Rendered("Digest", (encode(html),), (encode(text.whole(values)),)), own)


def email_message(html: Template, text: Template, entries: dict[int, Entry], edition: Edition) -> bytes:
    own = links(edition)
    values = whole(edition, entries, own)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Digest <digest@example.org>", edition.email, "Digest"
    mail["Message-ID"], mail["List-Unsubscribe"] = f"<{edition.id}@example.org>", f"<{own.unsubscribe}>"
    mail.set_content(text.whole(values), cte="quoted-printable")
    mail.add_alternative(html.whole(values), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def rate(make: Callable[[Edition], bytes], editions: Sequence[Edition], seconds: float = 4.0) -> tuple[float, int]:
    """Editions per second of CPU, and the mean size of a message."""
    size = made = 0
    start = time.process_time()
    for edition in editions:
        size += len(make(edition))
        made += 1
        if made % 16 == 0 and time.process_time() - start > seconds:
            break
    return made / (time.process_time() - start), size // made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=20_000)
    subscribers = parser.parse_args().subscribers
    blocks: dict[str, str] = {}
    html, text = load_html(None, blocks), load_text(None, blocks)
    raw = read(find(HTML, None))
    source = Template(raw, raw.unshield(raw.shielded), blocks, escape=True)
    for per_edition in (10, 50):
        editions, entries = synthetic(subscribers, per_edition)
        renderer = Renderer(None, SITE)
        make = partial(ours, renderer, entries)
        cold = rate(make, editions[:500])
        first = rate(make, editions[500:], 600.0)
        for edition in editions:
            whole(edition, entries, None)
        rows = [
            ("ours, no card rendered yet (500 editions)", cold),
            ("ours, the other editions, first time", first),
            ("ours, cards rendered", rate(make, editions)),
            ("MJML once, Jinja + quoted-printable per message", rate(partial(jinja, html, text, entries), editions)),
            ("Jinja, then MJML per message", rate(partial(mjml, source, text, entries), editions)),
            ("MJML once, Jinja + EmailMessage", rate(partial(email_message, html, text, entries), editions)),
        ]
        print(f"\n{per_edition} entries per edition, {subscribers:,} subscribers")
        for name, (speed, size) in rows:
            print(f"  {name:<50} {speed:>9,.0f}/s {size:>9,} bytes")


if __name__ == "__main__":
    main()
