"""`digest backtest`: what keywords would have brought in the last days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from digest.app import App, opened
from digest.backtest import Backtest, Trials
from digest.cli.options import CONFIG, ConfigOption, JsonOption, NowOption, as_json, clock, plural, say
from digest.cli.subscribers import Match as Mode
from digest.delivery.address import identity, parse_address
from digest.errors import UsageError
from digest.model import Match, Profile
from digest.profiles import check
from digest.rendering.cards import facts, label
from digest.rendering.clean import clean, cut
from digest.settings import ProfileTable
from digest.store import subscribers

MOST = 10
_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def backtest(
    email: Annotated[str, typer.Argument(help="Whose keywords.", show_default=False)] = "",
    config: ConfigOption = CONFIG,
    keywords: Annotated[
        list[str] | None,
        typer.Option("--keyword", "-k", metavar="KEYWORD", help="Keywords to try instead; give it several times."),
    ] = None,
    match: Annotated[Mode, typer.Option(help="What several unquoted words in one of them mean.")] = Mode.NEAR,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Show what keywords would have brought in the last days: how much, which of them, and the best entries."""
    with opened(config, clock(now)) as app, app.rehearsal() as rehearsed:
        rehearsed.pipeline.enrol()
        rehearsed.pipeline.load()
        profiles = _profiles(rehearsed, email, keywords or [], match)
        found = Trials(rehearsed.store).backtest(profiles, rehearsed.clock(), MOST)
    if json:
        as_json(_facts(found))
        return
    for line in lines(found):
        say(line)


def lines(found: Backtest) -> Iterator[str]:
    """A back-test, for people."""
    period = "Last day" if found.days == 1 else f"Last {found.days} days"
    considered = plural(found.considered, "entry", "entries")
    verb = "matches" if found.matched == 1 else "match"
    yield f"{period}: {found.matched:,} of {considered} {verb}, {found.matched / found.days:.1f} a day."
    yield from _keyword_lines(found)
    if found.matched:
        yield from _day_lines(found)
        yield from _best_lines(found)
    if found.advice:
        yield "\nAdvice"
        for advice in found.advice:
            yield f"  {advice.keyword or 'the profile'}: {advice.reason}. {advice.hint}"


def _profiles(app: App, email: str, keywords: Sequence[str], mode: Mode) -> Sequence[Profile]:
    """Those of a subscriber, or one of keywords as typed. Raises UsageError."""
    if bool(email) == bool(keywords):
        raise UsageError("name a subscriber or keywords: digest backtest ada@example.org, or: --keyword 'reward model'")
    profiles = _known(app, email) if email else [_typed(keywords, mode)]
    if faults := [str(fault) for profile in profiles for fault in check(profile)]:
        raise UsageError("\n".join(faults))
    return profiles


def _known(app: App, email: str) -> Sequence[Profile]:
    with app.store.read() as connection:
        person = subscribers.find(connection, identity(parse_address(email)))
    if person is None:
        raise UsageError(f"{email} is not subscribed; see: digest subscribers list")
    return person.subscriber.profiles


def _typed(keywords: Sequence[str], mode: Mode) -> Profile:
    cleaned = [keyword for typed in keywords if (keyword := clean(typed))]
    if not cleaned:
        raise UsageError("--keyword is empty; write one like --keyword 'reward model'")
    return ProfileTable.model_validate({"keywords": cleaned, "match": mode.value}).profile()


def _keyword_lines(found: Backtest) -> Iterator[str]:
    names = [one.keyword for one in found.keywords] + [one.keyword for one in found.kept_out]
    width = min(_WIDTH, max(map(len, (*names, "Keyword"))))
    if found.keywords:
        yield f"\n{'Keyword':{width}}  entries  share  only this"
    for hits in found.keywords:
        share = f"{hits.entries / found.matched:.0%}" if found.matched else "–"
        yield f"{cut(hits.keyword, width):{width}}  {hits.entries:7,}  {share:>5}  {hits.alone:9,}"
    for kept in found.kept_out:
        yield f"{cut(kept.keyword, width):{width}}  keeps out {plural(kept.entries, 'entry', 'entries')}"


def _day_lines(found: Backtest) -> Iterator[str]:
    yield "\nBy day (UTC)"
    most = max(number for _, number in found.by_day)
    for day, number in found.by_day:
        yield f"{day:%a %d %b} {number:6,} {_bar(number, most)}".rstrip()


def _bar(number: int, most: int) -> str:
    """As long as the number is of the most, in eighths of a letter."""
    whole, rest = divmod(round(number / most * _WIDTH * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def _best_lines(found: Backtest) -> Iterator[str]:
    yield "\nBest"
    for rank, (match, entry) in enumerate(found.shown, start=1):
        yield f"{rank:2}. {facts(entry).title}"
        yield f"    {', '.join(_reasons(match))}"


def _reasons(match: Match) -> list[str]:
    """The keywords that hit, each once, with the field where that is not title or abstract."""
    labels = dict.fromkeys(label(reason.keyword, reason.field) for reason in match.reasons)
    return [f"{one.field}: {one.text}" if one.field else one.text for one in labels]


def _facts(found: Backtest) -> dict[str, Any]:
    return {
        "days": found.days,
        "considered": found.considered,
        "matched": found.matched,
        "keywords": [
            {"profile": hits.profile, "keyword": hits.keyword, "entries": hits.entries, "alone": hits.alone}
            for hits in found.keywords
        ],
        "kept_out": [
            {"profile": one.profile, "keyword": one.keyword, "entries": one.entries} for one in found.kept_out
        ],
        "by_day": {day.isoformat(): number for day, number in found.by_day},
        "best": [
            {"title": facts(entry).title, "url": facts(entry).url, "score": match.score, "reasons": _reasons(match)}
            for match, entry in found.shown
        ],
        "advice": [
            {"keyword": advice.keyword, "reason": advice.reason, "hint": advice.hint} for advice in found.advice
        ],
    }
