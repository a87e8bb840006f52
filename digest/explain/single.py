"""One entry, and one subscriber: what became of it."""

from __future__ import annotations

from dataclasses import replace

from digest.cadence import latest, local_date
from digest.explain.verdict import Standing, Verdict
from digest.explain.window import Window, of_window, unmatched
from digest.matching.sift import Sifted
from digest.model import Entry
from digest.press import Press
from digest.rendering.clean import clean
from digest.rendering.subject import long_date
from digest.store import editions, entries, sightings
from digest.store.members import Member
from digest.store.store import Store


def explain(store: Store, member: Member, entry: Entry, now: int, press: Press) -> Verdict:
    """Why an entry was in a member's mail or not."""
    person = member.subscriber
    with store.read() as connection:
        kept = editions.touching(connection, person.id, entry.number, entry.number)
        listed_at = sightings.last_listed(connection, entry.number)
    if not kept:
        return _without_mail(store, member, entry, now)
    opened = of_window(store, kept[-1], person.profiles, press)
    (verdict,) = opened.told([one for one in opened.placed if one.number == entry.number])
    if verdict.standing in (Standing.SENT, Standing.TITLE) and listed_at > kept[-1].edition.planned_at:
        again = long_date(local_date(listed_at, person.cadence.zone))
        words = f"{verdict.words} It was listed again on {again}, and comes only once."
        return replace(verdict, standing=Standing.EARLIER, words=words)
    return verdict


def _without_mail(store: Store, member: Member, entry: Entry, now: int) -> Verdict:
    """The verdict on an entry that no edition with a mail has in its window."""
    person, number = member.subscriber, entry.number
    with store.read() as connection:
        silent = editions.silent(connection, person.id, number)
        newest = entries.newest_number(connection)
    waits = number > member.watermark
    if not waits and silent is None:
        return Verdict(entry, Standing.BEFORE, "It came before this subscription began, and was never looked at.")
    if waits and (gone := _gone(member)):
        return Verdict(entry, Standing.GONE, gone)
    window = Window(store, *((member.watermark, newest) if waits or silent is None else (silent.after, silent.upto)))
    sifted, slot = window.sift(person.profiles), silent.slot if silent else None
    if number not in sifted.ranked:
        (verdict,) = unmatched(store, {_unranked(number, sifted): [entry]}, person.profiles, window.twin)
        return replace(verdict, slot=slot)
    rank = sifted.ranked.index(number) + 1
    no_mail = f"No mail was made for {long_date(silent.slot)}: {clean(silent.reason)}. " if silent else ""
    if not waits:
        words = f"{no_mail}By the keywords as they are now it matches, but it is not looked at again."
        return Verdict(entry, Standing.SINCE, words, slot)
    most = f", and {person.max_entries} get a card" if rank > person.max_entries else ""
    words = f"{no_mail}It waits for {_next(member, now)}, so far as number {rank:,} of {len(sifted.ranked):,}{most}."
    return Verdict(entry, Standing.WAITING if silent else Standing.COMING, words, slot, rank=rank)


def _unranked(number: int, sifted: Sifted) -> Standing:
    """Where an entry stands that does not match."""
    if number in sifted.excluded:
        return Standing.EXCLUDED
    return Standing.REPEAT if number in sifted.repeats else Standing.MISSED


def _gone(member: Member) -> str:
    if member.suppressed:
        return f"Nothing goes to this address any more: {clean(member.suppressed)}."
    return "" if member.active else "This subscription has ended; nothing new is looked at."


def _next(member: Member, now: int) -> str:
    """The next mail, and when it comes."""
    person, due_at = member.subscriber, member.due_at or now
    slot = latest(due_at, person.cadence).date
    if person.paused_until and max(slot, local_date(now, person.cadence.zone)) < person.paused_until:
        return f"the first mail after the pause, which ends on {long_date(person.paused_until)}"
    return "the next mail, which the next run makes" if due_at <= now else f"the next mail, on {long_date(slot)}"
