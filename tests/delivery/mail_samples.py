"""Mails for independent judges: each kind that Digest sends, made as `digest preview` makes one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from editions import SITE, sample, synthetic

from digest.alarms import Incident
from digest.delivery import notice
from digest.delivery.check import check
from digest.delivery.message import Sender
from digest.model import Edition
from digest.press import Named, Press
from digest.rendering.edition import Renderer, Site
from digest.rendering.quoted import encode

WEB = "https://digest.example.org"
MORNING = int(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp())
SENDER = Sender("digest@example.org", "Paper Digest", list_name="New papers", help_url=WEB)
FULL = Press(
    Renderer(None, Site("digest@example.org", "New papers", WEB, SITE.postal_address)), SENDER, WEB, ("s" * 40,)
)
BARE = Press(Renderer(None, Site("digest@example.org")), Sender("digest@example.org"))
ELSEWHERE = Press(
    Renderer(None, Site("digest@example.org", "Büro für Neues", WEB, "Büro, Straße 1, 1010 Wien")),
    Sender("digest@bücher.example", "Büro für Neues", list_name="Büro"),
    WEB,
    ("s" * 40,),
)
_EDITION, _ENTRIES = sample()
ENTRIES = Named(_ENTRIES)
SAMPLE = replace(_EDITION, planned_at=MORNING)
ONE = replace(SAMPLE, matches=SAMPLE.matches[:1], more=(), matched=1, profiles=("Alignment",))
OPERATOR = "operator@example.org"
ALARM = Incident(7, "source", "/in", "The newest file gave no entries. Look into /in/é.txt.", MORNING - 3600, None, 0)


def _ten() -> tuple[Edition, Named]:
    (edition,), papers = synthetic(1, 10)
    return replace(edition, planned_at=MORNING, subscriber=7), Named(papers)


MAILS = {
    "bare": BARE.message(replace(ONE, matches=SAMPLE.matches[6:7], name=""), ENTRIES),
    "one entry": FULL.message(ONE, ENTRIES),
    "ten entries": FULL.message(*_ten()),
    "several profiles": FULL.message(SAMPLE, ENTRIES),
    "no web page": BARE.message(SAMPLE, ENTRIES),
    "beyond ASCII": ELSEWHERE.message(replace(ONE, matches=SAMPLE.matches[4:5], name="José Ångström 王"), ENTRIES),
}
"""One edition of each kind."""
ALARM_MAIL = check(notice.compose(ALARM, SENDER, OPERATOR, MORNING, encode), OPERATOR)
