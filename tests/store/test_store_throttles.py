"""Throttles as rows: what holds mails back outlives the run, and what does not is dropped."""

from __future__ import annotations

from digest.model import Throttle
from digest.store import throttles
from digest.store.store import Store

NOW = 1_795_158_000
RATED = Throttle("relay", "main", free_at=NOW + 0.123456)
PAUSED = Throttle("domain", "example.org", 0.0, NOW + 60, 2, "421 4.7.0 trop vite, réessayez; '--")
STRUCK = Throttle("domain", "a.example", strikes=1, words="451")


def saved(store: Store, *news: Throttle, now: float = NOW) -> list[Throttle]:
    """Save in a transaction; return what is kept then."""
    with store.write() as connection:
        throttles.save(connection, news, now)
    with store.read() as connection:
        return throttles.load(connection)


def test_what_is_saved_is_loaded_as_it_was(store: Store) -> None:
    """To the last digit and letter, by scope and name."""
    assert saved(store, RATED, PAUSED, STRUCK) == [STRUCK, PAUSED, RATED]


def test_a_name_is_kept_once_as_it_is_now(store: Store) -> None:
    """The same name in another scope is another one."""
    relay = Throttle("relay", "example.org", strikes=1)
    saved(store, PAUSED, relay)
    worse = Throttle("domain", "example.org", 1.5, NOW + 999, 3, "421 again")
    assert saved(store, worse) == [worse, relay]


def test_what_holds_nothing_back_any_more_is_dropped(store: Store) -> None:
    """No strikes, no pause in the future, nothing ahead of the rate; whoever is saved."""
    assert saved(store, PAUSED, RATED, STRUCK, Throttle("domain", "b.example")) == [STRUCK, PAUSED, RATED]
    refused = Throttle("domain", "c.example", paused_until=NOW + 600, words="550 5.7.26")
    assert saved(store, refused, Throttle("domain", "example.org")) == [STRUCK, refused, RATED]
    assert saved(store, STRUCK, now=NOW + 599) == [STRUCK, refused]
    assert saved(store, STRUCK, now=NOW + 600) == [STRUCK]


def test_nothing_new_writes_nothing(store: Store) -> None:
    """Most commits have no throttle to save."""
    saved(store, RATED)
    assert saved(store, now=NOW + 60) == [RATED]


def test_the_paused_are_those_whose_pause_is_not_over(store: Store) -> None:
    """For status: a rate or a strike is no pause."""
    refused = Throttle("domain", "c.example", paused_until=NOW + 600, words="550 5.7.26")
    saved(store, RATED, PAUSED, STRUCK, refused)
    with store.read() as connection:
        assert throttles.paused(connection, NOW) == [refused, PAUSED]
        assert throttles.paused(connection, NOW + 60) == [refused]
