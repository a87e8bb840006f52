"""`digest explain`: why an entry was in somebody's mail or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from digest.app import App, opened
from digest.cli.options import CONFIG, ConfigOption, JsonOption, NowOption, as_json, clock, say
from digest.delivery.address import identity, parse_address
from digest.errors import UsageError
from digest.explain import Verdict, explain
from digest.listings.keys import keys, title_words
from digest.model import Entry
from digest.rendering.clean import clean, cut
from digest.store import entries, members
from digest.store.members import Member

_SHOWN, _TITLE = 10, 100


def command(
    email: Annotated[str, typer.Argument(help="Whose mail.")],
    entry: Annotated[
        str,
        typer.Argument(
            help="Its number, a key such as doi:10.1000/182 or arxiv:2401.00001, a URL, or words of its title."
        ),
    ],
    config: ConfigOption = CONFIG,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Tell why an entry was in a subscriber's mail or not."""
    with opened(config, clock(now)) as app, app.rehearsal() as rehearsed:
        rehearsed.pipeline.enrol()
        member, found = _member(rehearsed, email), _entry(rehearsed, entry)
        verdict = explain(rehearsed.store, member, found, rehearsed.clock(), rehearsed.press)
    if json:
        as_json(_facts(verdict))
        return
    for line in _lines(verdict, several=len(member.subscriber.profiles) > 1):
        say(line)


def _member(app: App, email: str) -> Member:
    with app.store.read() as connection:
        member = members.find_by_identity(connection, identity(parse_address(email)))
    if member is None:
        raise UsageError(f"{email} is not subscribed; see: digest subscribers list")
    return member


def _entry(app: App, asked: str) -> Entry:
    """The one entry that is meant. Raises UsageError if there is none, or several."""
    asked = clean(asked)
    with app.store.read() as connection:
        named = entries.by_numbers(connection, [int(asked)] if asked.isdecimal() and len(asked) < 19 else [])
        numbers = list(named) or entries.with_keys(connection, [asked, *keys("", asked, asked, asked)[:-1]])
        numbers = numbers or entries.titled(connection, title_words(asked), most=_SHOWN + 1)
        found = [entry for _, entry in sorted(entries.by_numbers(connection, numbers).items(), reverse=True)]
    if not found:
        raise UsageError(f"no entry is {asked}; give its number, doi:…, arxiv:…, its URL, or words of its title")
    if len(found) > 1:
        listed = "".join(f"\n  {entry.number}  {_title(entry)}" for entry in found[:_SHOWN])
        more = "\n  and others" if len(found) > _SHOWN else ""
        raise UsageError(f"several entries are {asked}; give the number of one:{listed}{more}")
    return found[0]


def _lines(verdict: Verdict, *, several: bool) -> Iterator[str]:
    """The verdict, as a person reads it; `several`: the subscriber has several profiles."""
    yield f"{_title(verdict.entry)} (entry {verdict.entry.number})"
    yield verdict.words
    for reason in verdict.reasons:
        words = f": {', '.join(map(clean, reason.words))}" if reason.words else ""
        yield f"  {clean(reason.keyword)}{_of(reason.profile, several)} in the {reason.field}{words}"
    for miss in verdict.misses:
        yield f"  near: {clean(miss.keyword)}{_of(miss.profile, several)}: {clean(miss.words)}"


def _of(profile: str, several: bool) -> str:
    return f" ({clean(profile)})" if several else ""


def _title(entry: Entry) -> str:
    return cut(clean(entry.title), _TITLE) or "(no title)"


def _facts(verdict: Verdict) -> dict[str, Any]:
    entry = verdict.entry
    return {
        "entry": {"number": entry.number, "key": entry.key, "title": entry.title, "url": entry.url},
        "standing": verdict.standing,
        "words": verdict.words,
        "slot": str(verdict.slot) if verdict.slot else None,
        "state": verdict.state,
        "rank": verdict.rank or None,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "misses": [miss._asdict() for miss in verdict.misses],
    }
