"""What counts as broken, what does not, and what the operator reads of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.alarms import (
    KINDS,
    Condition,
    Limits,
    SourceState,
    Watched,
    complaints,
    failures,
    headline,
    overdue,
    paused_by_complaints,
    relay,
    setup,
    sources,
    utc,
)
from digest.model import Throttle

NOW = 1_795_158_000  # 2026-11-20 07:00 UTC
HOUR, DAY = 3600, 86_400
LIMITS = Limits(overdue_seconds=HOUR, failures_percent=5, stale_seconds=4 * DAY, relay_seconds=900)
REFUSED = Throttle("domain", "example.net", 0.0, NOW + HOUR, 0, "550 5.7.26 no SPF")
GOOD = SourceState(Watched("/in"), NOW - DAY, 12, "/in/a.txt", NOW - DAY, "", NOW - 9 * DAY)


def test_a_run_is_overdue_when_none_did_anything_for_too_long() -> None:
    """Up to the limit all is well; beyond it the words say since when and what to do."""
    assert overdue(NOW - HOUR, NOW, LIMITS) == []
    assert overdue(NOW - HOUR - 1, NOW, LIMITS) == [
        Condition(
            "overdue",
            "",
            "No run has done anything since 2026-11-20 05:59 UTC. Run this and see what it says: digest run",
            NOW - HOUR - 1,
        )
    ]


def test_nothing_is_overdue_before_the_first_run_or_when_the_clock_was_put_back() -> None:
    """Neither a new installation nor a moment in the future is an alarm."""
    assert overdue(None, NOW, LIMITS) == overdue(NOW + DAY, NOW, LIMITS) == []


def test_a_source_that_gives_entries_is_well() -> None:
    """A newest file with entries, not older than the limit, gives no condition."""
    assert sources([GOOD, replace(GOOD, newest_at=NOW - 4 * DAY)], NOW, LIMITS) == []


def test_a_newest_file_without_entries_is_broken_at_once() -> None:
    """The words name the file and what was wrong with it."""
    drifted = replace(GOOD, last_entries=0, last_path="/in/b.txt", last_at=NOW, last_fault="no entries found")
    assert sources([drifted], NOW, LIMITS) == [
        Condition(
            "source",
            "/in",
            "/in: format drift? The newest file, loaded 2026-11-20 07:00 UTC, gave no entries; the last one that did "
            "is of 2026-11-19 07:00 UTC. Look into /in/b.txt: no entries found",
            NOW,
        )
    ]


def test_a_file_without_entries_beside_good_ones_is_no_drift() -> None:
    """Of one load, in whatever order they came."""
    assert sources([replace(GOOD, last_entries=0, last_fault="no entries found")], NOW, LIMITS) == []


@pytest.mark.parametrize(
    ("source", "path", "counts"),
    [
        (Watched("/in"), "/in/paper.pdf", False),
        (Watched("/in/*", "team"), "/in/paper.pdf", False),
        (Watched("/in/a.rss"), "/in/a.rss", True),
        (Watched("/in", "arxiv", "https://example.org"), "/in/a.xml", True),
    ],
)
def test_what_is_no_listing_counts_where_nothing_else_may_lie(source: Watched, path: str, counts: bool) -> None:
    """A folder may hold notes and papers, too; what was fetched, or one file, is to be a listing."""
    assert source.counts(path, "") is counts
    assert source.counts(path, "csv")


def test_a_source_that_never_gave_entries_has_not_drifted() -> None:
    """Its newest file is broken all the same."""
    [found] = sources([replace(GOOD, last_entries=0, newest_at=None)], NOW, LIMITS)
    assert found.words.startswith(
        "/in: The newest file, loaded 2026-11-19 07:00 UTC, gave no entries; nor did any before."
    )


def test_a_source_without_anything_new_for_too_long_is_stale() -> None:
    """It counts from the last file with entries, and each such source is a condition of its own."""
    old = replace(GOOD, newest_at=NOW - 4 * DAY - 1)
    found = sources([old, GOOD, replace(old, source=Watched("/other"))], NOW, LIMITS)
    assert [(c.subject, c.since) for c in found] == [("/in", NOW - 4 * DAY - 1), ("/other", NOW - 4 * DAY - 1)]
    assert found[0].words.startswith("/in: stale: nothing new since 2026-11-16 06:59 UTC. See whether what writes its")


def test_a_source_may_have_a_name_and_a_limit_of_its_own() -> None:
    """Longer than the usual one, shorter, or none; the words have its name, and say why it is not fetched."""
    own = Watched("/in", "arxiv", "https://example.org/rss", stale_seconds=2 * DAY)
    [found] = sources([replace(GOOD, source=own, newest_at=NOW - 2 * DAY - 1)], NOW, LIMITS)
    assert found.subject == "arxiv"
    assert found.words == (
        "arxiv: stale: nothing new since 2026-11-18 06:59 UTC. See what a browser shows at https://example.org/rss"
    )
    [found] = sources([replace(GOOD, source=own, newest_at=0, fetch_fault="404 Not Found")], NOW, LIMITS)
    assert found.words.endswith("It could not be fetched: 404 Not Found")
    for longer in (0, 9 * DAY):
        assert (
            sources([replace(GOOD, source=replace(own, stale_seconds=longer), newest_at=NOW - 8 * DAY)], NOW, LIMITS)
            == []
        )


def test_a_source_that_never_gave_anything_is_stale_after_a_while() -> None:
    """It counts from the first run; before any run nothing is said."""
    empty = SourceState(Watched("/in"), watched_since=NOW - 4 * DAY)
    assert sources([empty, SourceState(Watched("/in"))], NOW, LIMITS) == []
    [found] = sources([empty], NOW + 1, LIMITS)
    assert (found.since, found.words.partition(".")[0]) == (NOW - 4 * DAY, "/in: stale: nothing was ever loaded")


def test_nothing_is_stale_where_the_limit_is_zero() -> None:
    """A stale limit of 0 turns that off, and a file without entries is broken still."""
    off, old = replace(LIMITS, stale_seconds=0), replace(GOOD, newest_at=0)
    assert sources([old], NOW, off) == []
    assert len(sources([replace(old, last_entries=0)], NOW, off)) == 1


@pytest.mark.parametrize(
    ("sent", "failed", "broken"), [(0, 0, False), (95, 5, False), (94, 6, True), (0, 1, True), (10**6, 10**4, False)]
)
def test_failures_count_over_their_share(sent: int, failed: int, broken: bool) -> None:
    """At the limit all is well, and so is a day without editions."""
    assert bool(failures(sent, failed, NOW, LIMITS)) is broken


def test_any_failure_is_too_many_where_the_limit_is_zero() -> None:
    """With a limit of 0 %, one in a million is an alarm, and none is not."""
    none = replace(LIMITS, failures_percent=0)
    assert failures(10**6, 0, NOW, none) == []
    [found] = failures(999_999, 1, NOW, none)
    assert found.words.startswith("1 of 1000000 editions of one day failed; the limit is 0 %.")


def test_a_relay_is_broken_when_it_takes_nothing_for_too_long() -> None:
    """A blip is none; afterwards the relay's own words are given."""
    assert relay("", None, NOW, LIMITS) == relay("535 no", NOW - 900, NOW, LIMITS) == []
    [found] = relay("mail:587 cannot be used: 535", NOW - 901, NOW, LIMITS)
    assert found.since == NOW - 901
    assert "since 2026-11-20 06:44 UTC: mail:587 cannot be used: 535." in found.words


def test_a_relay_that_refuses_us_is_broken_at_once() -> None:
    """Time does not mend a login; a relay that works is well, whatever it refused before."""
    [found] = relay("mail:587: 535 no", NOW, NOW, LIMITS, refused=True)
    assert (found.kind, found.since) == ("relay", NOW)
    assert relay("", None, NOW, LIMITS, refused=True) == []


def test_a_domain_that_refuses_our_configuration_is_told() -> None:
    """One condition for each, with what it said and what to do."""
    [found, other] = setup([REFUSED, replace(REFUSED, name="example.com")], NOW)
    assert (found.kind, found.subject, other.subject) == ("setup", "example.net", "example.com")
    assert found.words == (
        "example.net refuses how we are set up (SPF, DKIM, DMARC or reverse DNS); its recipients are not to blame, "
        "and every edition for them is kept. Look at what it names, with digest doctor as well. "
        "It said: 550 5.7.26 no SPF"
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(REFUSED, words="421 4.7.0 too fast"),
        replace(REFUSED, words="450 5 minutes"),
        replace(REFUSED, scope="relay"),
        replace(REFUSED, paused_until=NOW),
    ],
)
def test_a_pause_for_another_reason_is_not_told(other: Throttle) -> None:
    """A domain that is only slowed, a relay, a pause that is over."""
    assert setup([other], NOW) == []


@pytest.mark.parametrize(
    ("complained", "sent", "kinds"),
    [
        (0, 10_000, []),
        (10, 10_000, []),
        (11, 10_000, ["complaints"]),
        (30, 10_000, ["complaints"]),
        (31, 10_000, ["complaints", "paused"]),
        (1, 1_000, []),
        (2, 1_000, ["complaints"]),
        (4, 1_000, ["complaints", "paused"]),
        (2, 999, []),
        (2, 1, []),
        (3, 999, ["complaints", "paused"]),
        (0, 0, []),
        (9, 0, []),
    ],
)
def test_complaints_count_over_their_share(complained: int, sent: int, kinds: list[str]) -> None:
    """Over 0.1 % is told, over 0.3 % pauses; of few mails it takes three complaints, and of none nothing is known."""
    assert [found.kind for found in complaints(complained, sent, NOW)] == kinds
    assert paused_by_complaints(complained, sent) is ("paused" in kinds)


def test_the_words_about_complaints_have_the_figures() -> None:
    """And where to look."""
    warned, paused = complaints(31, 10_000, NOW)
    assert warned.words.startswith("31 complaints about 10,000 mails in 30 days: ")
    assert paused.words.startswith("31 complaints about 10,000 mails in 30 days, over 0.3 %: nothing is sent")
    assert all(found.words.endswith("digest suppress list") for found in (warned, paused))


@pytest.mark.parametrize("said", ["a\0b", "a\r\n\tb", "a\ud800b", "a\u202e b", "a\u2028b"])
def test_what_others_said_is_one_line_that_can_be_stored(said: str) -> None:
    """No NUL, line end, lone surrogate or turning of the text comes through, and no more than 1,000 characters."""
    [by_relay] = relay(said, 0, NOW, LIMITS)
    [by_source] = sources([replace(GOOD, newest_at=0, last_entries=0, last_fault=said + "x" * 2000)], NOW, LIMITS)
    [by_domain] = setup([replace(REFUSED, words=f"5{said}")], NOW)
    assert by_domain.words.endswith(": 5a b")
    assert ": a b." in by_relay.words
    assert ": a bxx" in by_source.words
    assert len(by_source.words) == 1000


@given(later=st.integers(0, 10 * DAY))
def test_words_stay_the_same_while_nothing_changes(later: int) -> None:
    """Seen again later, every condition that lasts has the same words, so nothing is rewritten each minute."""

    def seen(now: int) -> list[Condition]:
        stale, drifted = replace(GOOD, newest_at=0), replace(GOOD, last_entries=0, newest_at=NOW - 2 * DAY)
        refused = replace(REFUSED, paused_until=now + HOUR)
        return [
            *overdue(0, now, LIMITS),
            *sources([stale, drifted], now, LIMITS),
            *relay("no", 0, now, LIMITS),
            *setup([refused], now),
            *complaints(9, 9, now),
        ]

    assert len(seen(NOW)) == 7
    assert [found.words for found in seen(NOW)] == [found.words for found in seen(NOW + later)]


def test_every_kind_has_a_headline() -> None:
    """Each is told apart in a few words, and an unknown one is refused."""
    assert len({headline(kind, "/in") for kind in KINDS}) == len(KINDS)
    assert headline("source", "/in{0}") == "no entries from /in{0}"
    assert headline("setup", "example.net") == "our configuration is refused by example.net"
    with pytest.raises(ValueError, match="no kind of condition"):
        headline("flood", "")


def test_moments_are_written_in_utc() -> None:
    """Whatever the zone of the machine."""
    assert utc(NOW) == "2026-11-20 07:00 UTC"
