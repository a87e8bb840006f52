"""What somebody who wants more, or less, like an entry may change in their profiles. Nothing is changed here.

Rules
-----
1. More: a keyword that hit counts MORE times as much, MOST_WEIGHT at most; a telling phrase of the entry becomes one.
2. Less: a keyword that hit counts half, or goes, but never the last one that asks for something; a telling phrase of
   the title is excluded from the profiles that brought the entry.
3. A phrase is proposed only where no keyword hits it, and where it is not part of one; as an addition, if it is rare.
4. What would change nothing, or make a keyword that cannot be read or that there is advice against, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from digest.matching.frequencies import Lookup
from digest.matching.phrases import Phrase, apart, phrases
from digest.matching.rank import Reader
from digest.matching.select import Selector
from digest.matching.text import words
from digest.model import Entry, Profile, Reason
from digest.profiles import check, edit, lint, parse

Way = Literal["more", "less"]
MORE, LESS, MOST_WEIGHT = 1.5, 0.5, 10.0
HITS, ADDITIONS, EXCLUSIONS = 3, 4, 2
"""The most suggestions of each kind; of keywords that hit, the most looked at."""
_RARE, _RARE_ALONE = 0.06, 0.03
"""The rarest word of an addition stands in at most this share of all entries."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change: its words, with the keyword between them, and the profiles as they would be."""

    before: str
    keyword: str
    after: str
    profiles: tuple[Profile, ...]

    @property
    def words(self) -> str:
        """What it would do: "Count `reward model` 1.5 times". No two of an entry say the same."""
        return f"{self.before} `{self.keyword}` {self.after}".strip()


@dataclass(frozen=True, slots=True)
class _Hit:
    """A keyword that hit, as it is typed now, in the profile at this place."""

    place: int
    typed: str


def suggest(
    way: Way, entry: Entry, reasons: Sequence[Reason], profiles: Sequence[Profile], frequencies: Lookup
) -> tuple[Suggestion, ...]:
    """All suggestions for an entry and the reasons why it was sent. `profiles` are as they are now."""
    hits = list(dict.fromkeys(_hits(reasons, profiles)))
    places = list(dict.fromkeys(hit.place for hit in hits)) or [0]
    free = _free(phrases(entry, frequencies), profiles, frequencies)
    if way == "more":
        made = [*_raised(hits[:HITS], profiles), *_additions(places[0], free, profiles)]
    else:
        made = [*_lowered(hits[:HITS], profiles), *_exclusions(places, free, profiles)]
    return tuple(one for one in made if _is_sound(one, profiles))


def _hits(reasons: Iterable[Reason], profiles: Sequence[Profile]) -> Iterator[_Hit]:
    """The keywords of reasons that are still there, in the profile of that name, or in any if it has another now."""
    names = {profile.name for profile in profiles}
    for reason in reasons:
        for place, profile in enumerate(profiles):
            typed = edit.find(profile, reason.keyword)
            if typed is not None and (profile.name == reason.profile or reason.profile not in names):
                yield _Hit(place, typed)


def _raised(hits: Sequence[_Hit], profiles: Sequence[Profile]) -> Iterator[Suggestion]:
    for hit in hits:
        weight = parse(hit.typed).weight
        yield _counted(hit, max(weight, min(MOST_WEIGHT, weight * MORE)), profiles)


def _lowered(hits: Sequence[_Hit], profiles: Sequence[Profile]) -> Iterator[Suggestion]:
    for hit in hits:
        profile, keyword = profiles[hit.place], edit.bare(hit.typed)
        yield _counted(hit, parse(hit.typed).weight * LESS, profiles)
        if len(edit.asking(profile)) > 1:
            after = _with(profiles, {hit.place: edit.without(profile, hit.typed)})
            yield Suggestion("Look no more for", keyword, _of([hit.place], profiles), after)


def _counted(hit: _Hit, weight: float, profiles: Sequence[Profile]) -> Suggestion:
    profile = edit.weighted(profiles[hit.place], hit.typed, weight)
    times = {0.5: "half", 1.0: "once"}.get(weight, f"{weight:.3g} times")
    after = f"{times} {_of([hit.place], profiles)}".strip()
    return Suggestion("Count", edit.bare(hit.typed), after, _with(profiles, {hit.place: profile}))


def _additions(place: int, free: Sequence[Phrase], profiles: Sequence[Profile]) -> Iterator[Suggestion]:
    rare = [phrase for phrase in free if phrase.share <= (_RARE if len(phrase.stems) > 1 else _RARE_ALONE)]
    for phrase in apart(rare, ADDITIONS):
        keyword = _keyword(phrase)
        after = _with(profiles, {place: edit.added(profiles[place], keyword)})
        yield Suggestion("Also look for", keyword, _of([place], profiles), after)


def _exclusions(places: Sequence[int], free: Sequence[Phrase], profiles: Sequence[Profile]) -> Iterator[Suggestion]:
    for phrase in apart([phrase for phrase in free if phrase.in_title], EXCLUSIONS):
        keyword = _keyword(phrase)
        after = _with(profiles, {place: edit.added(profiles[place], f"-{keyword}") for place in places})
        yield Suggestion("Leave out entries with", keyword, _of(places, profiles), after)


def _keyword(phrase: Phrase) -> str:
    """Several words as they stand; a single one in any form."""
    return f'"{phrase.text}"' if " " in phrase.text else phrase.text


def _of(places: Sequence[int], profiles: Sequence[Profile]) -> str:
    """Which profiles, for somebody with several."""
    names = " and ".join(profiles[place].name for place in places)
    return f"in {names}" if len(profiles) > 1 else ""


def _with(profiles: Sequence[Profile], changed: dict[int, Profile]) -> tuple[Profile, ...]:
    return tuple(changed.get(place, profile) for place, profile in enumerate(profiles))


def _free(found: Sequence[Phrase], profiles: Sequence[Profile], frequencies: Lookup) -> list[Phrase]:
    """The phrases that no keyword hits, and that are not part of one."""
    asking = tuple(replace(profile, keywords=edit.asking(profile)) for profile in profiles)
    parts = [{form.stem for form in words(edit.bare(keyword))} for one in asking for keyword in one.keywords]
    titles = [Entry((phrase.text,), phrase.text, number=number) for number, phrase in enumerate(found)]
    (selection,) = Selector(titles, frequencies).select([Reader(asking, -1, len(titles))], 0)
    hit = {match.entry for match in selection.matches}
    return [
        phrase
        for number, phrase in enumerate(found)
        if number not in hit and not any(phrase.stems <= part for part in parts)
    ]


def _is_sound(suggestion: Suggestion, before: Sequence[Profile]) -> bool:
    """Rule 4; what was doubtful before is not the suggestion's fault."""
    changed = [(new, old) for new, old in zip(suggestion.profiles, before, strict=True) if new != old]
    return bool(changed) and all(_doubts(new) <= _doubts(old) for new, old in changed)


def _doubts(profile: Profile) -> int:
    return len(check(profile)) + len(lint(profile))
