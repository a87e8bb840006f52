"""Pace: when to try again, how many connections, when to leave a relay alone, how fast mail goes to a domain."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery.pace import Breaker, Concurrency, Throttles, retry_at
from digest.model import Throttle

NOW = 1_795_158_000
DOMAIN = ("domain", "example.org")
CHANCES = st.floats(0, 1, exclude_max=True)


def never() -> float:
    """No jitter."""
    return 0.0


# Backoff


@settings(deadline=None)
@given(CHANCES, st.integers(1, 2000), st.floats(1, 100_000))
def test_a_retry_waits_a_doubled_step_and_up_to_half_of_it_more(
    chance: float, attempts: int, retry_seconds: float
) -> None:
    """It never comes before the configured time, nor after four hours, or that time if it is more."""
    waited = retry_at(NOW, attempts, retry_seconds, chance) - NOW
    step = retry_seconds * 2.0 ** min(attempts - 1, 30)
    assert retry_seconds <= waited <= max(14_400, retry_seconds) + 1
    assert waited <= 1.5 * step + 1
    assert waited >= min(step, 9_600)


def test_the_steps_of_a_retry_are_these() -> None:
    """Without jitter: 5, 10, 20, 40, 80 minutes, then always 2 h 40 min, which jitter makes 4 h at most."""
    assert [retry_at(NOW, n, 300, 0.0) - NOW for n in (1, 2, 3, 4, 5, 6, 7)] == [300, 600, 1200, 2400, 4800, 9600, 9600]
    assert [retry_at(NOW, n, 300, 0.5) - NOW for n in (1, 2, 7)] == [375, 750, 12_000]


def test_a_retry_is_not_a_part_of_a_second_early() -> None:
    """The moment is rounded up."""
    assert retry_at(NOW + 0.25, 1, 300, 0.0) == NOW + 301


# Concurrency


def settle(concurrency: Concurrency, messages: int, seconds: float = 0.01) -> int:
    """Have so many messages accepted; return the limit then."""
    for _ in range(messages):
        concurrency.settled(seconds)
    return concurrency.limit


def test_connections_double_a_round_until_there_are_the_most() -> None:
    """Slow start: a round is as many accepted messages as there are connections."""
    concurrency = Concurrency(12)
    assert [concurrency.limit, *(settle(concurrency, n) for n in (1, 1, 3, 1, 8, 100))] == [2, 2, 4, 4, 8, 12, 12]


def test_a_push_back_halves_and_growth_is_by_one_from_then_on() -> None:
    """Additive increase, multiplicative decrease."""
    concurrency = Concurrency(100)
    settle(concurrency, 2 + 4 + 8)
    concurrency.pushed_back(5.0)
    assert [concurrency.limit, settle(concurrency, 8), settle(concurrency, 9)] == [8, 9, 10]


def test_push_backs_within_a_second_are_one() -> None:
    """Connections pushed back together tell of one event; the next event halves again, but never below one."""
    concurrency = Concurrency(16)
    settle(concurrency, 2 + 4 + 8)
    limits = []
    for at in (5.0, 5.1, 5.9, 6.0, 6.5, 8.0, 10.0, 12.0):
        concurrency.pushed_back(at)
        limits.append(concurrency.limit)
    assert limits == [8, 8, 8, 4, 4, 2, 1, 1]


def test_a_round_begins_anew_with_a_push_back() -> None:
    """What was accepted before it does not make the halved limit grow."""
    concurrency = Concurrency(100)
    settle(concurrency, 2 + 4 + 8 + 15)
    concurrency.pushed_back(5.0)
    assert [settle(concurrency, 7), settle(concurrency, 1)] == [8, 9]


def test_there_may_be_one_connection_at_most() -> None:
    """A relay that is to get one never gets two."""
    concurrency = Concurrency(1)
    assert [concurrency.limit, settle(concurrency, 10)] == [1, 1]


def test_one_connection_grows_again() -> None:
    """The least is no dead end."""
    concurrency = Concurrency(1000)
    concurrency.pushed_back(0.0)
    assert [concurrency.limit, settle(concurrency, 1), settle(concurrency, 2)] == [1, 2, 3]


def test_growth_stops_while_the_relay_is_slow_and_goes_on_after() -> None:
    """Slow is over twice the best seen and over 50 ms."""
    concurrency = Concurrency(1000)
    settle(concurrency, 2 + 4, 0.03)
    slow = settle(concurrency, 2000, 0.07)
    assert slow <= 16
    assert settle(concurrency, slow, 0.07) == slow
    assert settle(concurrency, 100, 0.03) > slow


@pytest.mark.parametrize(("best", "then"), [(0.001, 0.049), (0.2, 0.39)])
def test_growth_goes_on_at_small_or_usual_latencies(best: float, then: float) -> None:
    """A multiple of next to nothing is still quick, and a relay far away is not a slow one."""
    concurrency = Concurrency(64)
    settle(concurrency, 2, best)
    assert settle(concurrency, 200, then) == 64


def test_waiting_behind_others_in_a_pipeline_is_not_slowness() -> None:
    """A relay that takes 40 ms for each message takes 160 ms for the fourth in a row."""
    concurrency = Concurrency(64)
    for in_flight in (1, 2, 3, *[4] * 500):
        concurrency.settled(0.04 * in_flight, in_flight)
    assert concurrency.limit == 64


def test_the_best_latency_is_learnt_anew_after_a_push_back() -> None:
    """A relay that has become slower for good does not hold growth back for ever."""
    concurrency = Concurrency(64)
    settle(concurrency, 6, 0.01)
    assert settle(concurrency, 500, 0.1) < 64
    concurrency.pushed_back(9.0)
    assert settle(concurrency, 5000, 0.1) == 64


@settings(deadline=None)
@given(st.integers(1, 40), st.lists(st.one_of(st.floats(0, 10), st.none()), max_size=300))
def test_connections_stay_between_one_and_the_most(most: int, events: list[float | None]) -> None:
    """Whatever happens, and each push-back but those of the same second leaves at most half, or one."""
    concurrency = Concurrency(most)
    for at, seconds in enumerate(events):
        before = concurrency.limit
        if seconds is None:
            concurrency.pushed_back(float(at))
            assert concurrency.limit == max(1, before // 2)
        else:
            concurrency.settled(seconds)
            assert before <= concurrency.limit <= 2 * before
        assert 1 <= concurrency.limit <= most


def served(concurrency: Concurrency, room: int, seconds: int) -> list[int]:
    """A relay that takes a message per connection and 10 ms, and pushes back above `room`; the limits, each second."""
    limits = []
    for tick in range(seconds * 100):
        settle(concurrency, min(concurrency.limit, room))
        if concurrency.limit > room:
            concurrency.pushed_back(tick / 100)
        if tick % 100 == 99:
            limits.append(concurrency.limit)
    return limits


def test_the_limit_hovers_about_what_the_relay_takes() -> None:
    """With room for 10, the connections are between half of that and, for at most a second's growth, above."""
    limits = served(Concurrency(50), 10, 60)
    assert min(limits) >= 5
    assert sum(limits) / len(limits) >= 7


# Circuit breaker


def test_the_breaker_opens_after_three_failures_running() -> None:
    """Two are nothing, nor are two, a success and two more."""
    breaker = Breaker(never)
    for outcome in (breaker.failed, breaker.failed, lambda now: breaker.worked(), breaker.failed, breaker.failed):
        outcome(10.0)
        assert (breaker.ready_at(10.0), breaker.is_open(10.0)) == (10.0, False)
    breaker.failed(10.0)
    assert (breaker.ready_at(10.0), breaker.is_open(10.0)) == (11.0, True)


def tripped(chance: Callable[[], float] = never, at: float = 0.0) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(chance)
    for _ in range(3):
        breaker.failed(at)
    return breaker


def test_each_failed_probe_doubles_the_wait() -> None:
    """1 s, 2 s, 4 s … and at last 40 s, which jitter makes 60 s at most."""
    breaker, now, waits = tripped(), 0.0, []
    for _ in range(8):
        waits.append(breaker.ready_at(now) - now)
        now = breaker.ready_at(now)
        assert breaker.ready_at(now) == now
        breaker.failed(now)
    assert waits == [1, 2, 4, 8, 16, 32, 40, 40]


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_waits_of_a_breaker_are_jittered_within_bounds(seed: int) -> None:
    """Between one and one and a half times the step, never above a minute."""
    breaker, now = tripped(random.Random(seed).random), 0.0
    for step in (1, 2, 4, 8, 16, 32, 40, 40, 40):
        wait = breaker.ready_at(now) - now
        assert step - 1e-9 <= wait <= 1.5 * step + 1e-9
        now += wait
        breaker.ready_at(now)
        breaker.failed(now)


def test_a_half_open_breaker_lets_one_probe_through() -> None:
    """Others wait for it; when it works, everybody may connect."""
    breaker = tripped()
    assert not breaker.is_open(1.0)
    assert breaker.ready_at(1.0) == 1.0
    assert [breaker.ready_at(1.0), breaker.ready_at(1.5)] == [2.0, 2.0]
    assert breaker.is_open(1.5)
    breaker.worked()
    assert not breaker.is_open(1.5)
    assert [breaker.ready_at(1.5), breaker.ready_at(1.5)] == [1.5, 1.5]


def test_a_probe_that_is_never_heard_of_is_followed_by_another() -> None:
    """Else a lost probe would leave the relay alone for ever."""
    breaker = tripped()
    breaker.ready_at(1.0)
    assert breaker.ready_at(2.0) == 2.0


def test_connections_that_fail_together_open_the_breaker_once() -> None:
    """Eight that are lost at the same moment make no longer wait than three."""
    breaker = tripped()
    for _ in range(5):
        breaker.failed(0.1)
    assert breaker.ready_at(0.1) == 1.0
    assert breaker.ready_at(1.0) == 1.0
    for _ in range(5):
        breaker.failed(1.0)
    assert breaker.ready_at(1.0) == 3.0


def test_after_a_success_the_waits_begin_anew() -> None:
    """The breaker remembers nothing of what is over."""
    breaker = tripped()
    breaker.ready_at(1.0)
    breaker.failed(1.0)
    breaker.ready_at(3.0)
    breaker.worked()
    for _ in range(4):
        breaker.failed(50.0)
    assert breaker.ready_at(50.0) == 51.0


# Limits


def gone(throttles: Throttles, count: int, now: float, key: tuple[str, str] = DOMAIN) -> list[float]:
    """When each of so many mails went, if all want to go now, and each comes back when it is told to."""
    waiting, went = deque([now] * count), []
    while waiting:
        at = waiting.popleft()
        place = throttles.take(*key, at)
        if place <= at:
            went.append(at)
        else:
            waiting = deque(sorted([*waiting, place]))
    return went


def test_what_has_no_limit_and_no_pause_goes_at_once() -> None:
    """And leaves nothing to be stored."""
    throttles = Throttles({("domain", "example.com"): 1})
    assert gone(throttles, 1000, NOW) == [NOW] * 1000
    assert throttles.ready_at(*DOMAIN, NOW) == NOW
    assert throttles.changed() == []


def test_a_limit_is_kept_and_used_up() -> None:
    """120 a minute: a tenth of a minute's mails at once, then one every half second."""
    went = gone(Throttles({DOMAIN: 120}), 100, NOW)
    assert went == [NOW] * 12 + [NOW + 0.5 * n for n in range(1, 89)]


def test_a_low_limit_has_a_burst_of_one() -> None:
    """4 a minute: one every 15 seconds."""
    assert gone(Throttles({DOMAIN: 4}), 4, NOW) == [NOW, NOW + 15, NOW + 30, NOW + 45]


def test_those_who_must_come_back_get_places_one_after_the_other() -> None:
    """Else all of a large backlog would come at each moment at which one may go."""
    throttles = Throttles({DOMAIN: 4})
    assert [throttles.take(*DOMAIN, NOW) - NOW for _ in range(5)] == [0, 15, 30, 45, 60]


def test_a_mail_that_comes_back_a_little_early_keeps_its_place() -> None:
    """The mail before it was late; its own turn is next, not at the end of the queue."""
    throttles = Throttles({DOMAIN: 4})
    places = [throttles.take(*DOMAIN, NOW) for _ in range(50)]
    assert throttles.take(*DOMAIN, places[1] + 0.5) == places[1] + 0.5
    assert throttles.take(*DOMAIN, places[2]) == places[2] + 0.5


def test_mails_that_never_come_back_cost_no_place() -> None:
    """Only what goes is counted: a suppressed or merged edition does not slow the others."""
    throttles = Throttles({DOMAIN: 4})
    for _ in range(100):
        throttles.take(*DOMAIN, NOW)
    assert throttles.ready_at(*DOMAIN, NOW) == NOW + 15
    assert throttles.take(*DOMAIN, NOW + 15) == NOW + 15


def test_a_clock_set_back_stops_nothing_for_long() -> None:
    """What went a day ahead holds back for no longer than what went now."""
    throttles = Throttles({DOMAIN: 60})
    gone(throttles, 100, NOW + 86_400)
    assert throttles.ready_at(*DOMAIN, NOW) <= NOW + 1


RATES = st.floats(0.5, 1200)
WANTED = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 20)), min_size=1, max_size=15)


@settings(deadline=None)
@given(RATES, WANTED, st.booleans())
def test_no_window_holds_more_than_its_share_and_a_burst(
    rate: float, wanted: list[tuple[float, int]], restarted: bool
) -> None:
    """Whoever asks, whenever, in how large crowds, and though the program was started again in between."""
    throttles, now, went = Throttles({DOMAIN: rate}), float(NOW), []
    stored: list[Throttle] = []
    for later, crowd in wanted:
        now += later
        went += [now for _ in range(crowd) if throttles.take(*DOMAIN, now) <= now]
        stored = throttles.changed() or stored
        if restarted:
            throttles = Throttles({DOMAIN: rate}, stored)
    for first, begin in enumerate(went):
        for more, end in enumerate(went[first:], start=1):
            assert more <= (end - begin) / 60 * rate + max(1.0, rate / 10) + 1e-4


@settings(deadline=None)
@given(RATES, st.integers(1, 80))
def test_those_who_come_back_as_told_all_go_at_the_full_rate(rate: float, count: int) -> None:
    """Nothing starves, and no place stays empty for longer than half of a place."""
    went = gone(Throttles({DOMAIN: rate}), count, NOW)
    assert len(went) == count
    assert went[-1] - NOW <= max(0.0, count - max(1.0, rate / 10) + 1) * 60 / rate * 1.5 + 1e-3


@settings(deadline=None)
@given(RATES, st.lists(st.floats(0, 100), min_size=1, max_size=20), st.lists(st.floats(-100, 200), min_size=2))
def test_ready_at_is_monotonous_and_changes_nothing(rate: float, taken: list[float], asked: list[float]) -> None:
    """Who asks later is never told an earlier moment, and asking takes no place."""
    throttles = Throttles({DOMAIN: rate}, chance=never)
    for at in sorted(taken):
        throttles.take(*DOMAIN, NOW + at)
    throttles.strike(*DOMAIN, NOW + 50, "421", firm=True)
    throttles.changed()
    moments = [throttles.ready_at(*DOMAIN, NOW + at) for at in sorted(asked)]
    assert moments == sorted(moments)
    assert all(moment >= NOW + at for moment, at in zip(moments, sorted(asked), strict=True))
    assert throttles.changed() == []


def test_ready_at_is_when_take_succeeds() -> None:
    """A place is free at the moment that was named, and not before."""
    throttles = Throttles({DOMAIN: 30})
    now = gone(throttles, 5, NOW)[-1]
    ready = throttles.ready_at(*DOMAIN, now)
    assert ready == now + 2
    assert throttles.take(*DOMAIN, ready - 0.1) > ready - 0.1
    assert throttles.take(*DOMAIN, ready) == ready


# Push-backs


def test_the_first_push_back_only_counts_and_the_second_pauses() -> None:
    """One 4xx may be a mailbox's own trouble; two running are the domain's."""
    throttles = Throttles({}, chance=never)
    assert throttles.strike(*DOMAIN, NOW, "451 later") == 0
    assert throttles.ready_at(*DOMAIN, NOW) == NOW
    assert throttles.strike(*DOMAIN, NOW, "451 later") == NOW + 120
    assert throttles.ready_at(*DOMAIN, NOW + 100) == NOW + 120
    assert throttles.take(*DOMAIN, NOW + 100) == NOW + 120
    assert throttles.take(*DOMAIN, NOW + 120) == NOW + 120


def test_a_pause_that_is_over_is_not_reported_again() -> None:
    """A single 4xx after it says that the name is not paused."""
    throttles = Throttles({}, [Throttle(*DOMAIN, paused_until=NOW)], chance=never)
    assert throttles.strike(*DOMAIN, NOW, "451 later") == 0


def test_an_accepted_mail_between_two_push_backs_makes_them_single_ones() -> None:
    """Only push-backs running count."""
    throttles = Throttles({}, chance=never)
    for _ in range(10):
        assert throttles.strike(*DOMAIN, NOW, "451 later") == 0
        throttles.praised(*DOMAIN)


def test_a_421_pauses_at_once() -> None:
    """It is meant for everything that comes from us."""
    assert Throttles({}, chance=never).strike(*DOMAIN, NOW, "421 too fast", firm=True) == NOW + 60


def test_pauses_double_to_an_hour() -> None:
    """40 minutes without jitter at last, which jitter makes an hour at most."""
    throttles, now, pauses = Throttles({}, chance=never), NOW, []
    for _ in range(8):
        until = throttles.strike(*DOMAIN, now, "421", firm=True)
        pauses.append(until - now)
        now = until
    assert pauses == [60, 120, 240, 480, 960, 1920, 2400, 2400]


@settings(deadline=None)
@given(CHANCES, st.integers(0, 20))
def test_pauses_are_jittered_within_bounds(chance: float, before: int) -> None:
    """Between one and one and a half times the step."""
    throttles = Throttles({}, [Throttle(*DOMAIN, strikes=before)], chance=lambda: chance)
    step = min(60 * 2**before, 2400)
    assert step <= throttles.strike(*DOMAIN, NOW, "421", firm=True) - NOW <= min(1.5 * step, 3600) + 1


def test_push_backs_of_mails_under_way_belong_to_the_same_event() -> None:
    """Sixteen refused together make no longer pause than one."""
    throttles = Throttles({}, chance=never)
    assert {throttles.strike(*DOMAIN, NOW + n / 10, "421", firm=True) for n in range(16)} == {NOW + 60}
    assert throttles.strike(*DOMAIN, NOW + 60, "421", firm=True) == NOW + 60 + 120


@settings(deadline=None)
@given(st.sampled_from(["relay", "domain"]), st.text("ab.-é", min_size=1, max_size=5), st.booleans())
def test_a_pause_is_of_the_struck_name_only(scope: str, name: str, firm: bool) -> None:
    """Neither another domain nor the relay of the same name is held back."""
    throttles = Throttles({("domain", "limited.example"): 60})
    throttles.strike(scope, name, NOW, "4xx", firm=firm)
    throttles.strike(scope, name, NOW, "4xx", firm=firm)
    other = "relay" if scope == "domain" else "domain"
    for elsewhere in ((other, name), (scope, name + "x"), ("domain", "limited.example.")):
        assert throttles.take(*elsewhere, NOW) == NOW
    assert throttles.take(scope, name, NOW) > NOW


def test_after_a_pause_the_limit_still_holds() -> None:
    """What was put off during the pause does not come all at once."""
    throttles = Throttles({DOMAIN: 60}, chance=never)
    throttles.strike(*DOMAIN, NOW, "421", firm=True)
    assert gone(throttles, 10, NOW) == [NOW + 60 + n for n in range(10)]


def test_each_accepted_mail_after_the_pause_takes_a_strike_back() -> None:
    """Mails accepted during the pause were on their way before it, and say nothing."""
    throttles = Throttles({}, [Throttle(*DOMAIN, strikes=3, paused_until=NOW + 60, words="421")], chance=never)
    throttles.praised(*DOMAIN)
    assert throttles.changed() == []
    throttles.take(*DOMAIN, NOW + 60)
    told = []
    for _ in range(4):
        throttles.praised(*DOMAIN)
        told.append([one.strikes for one in throttles.changed()])
    assert told == [[2], [1], [0], []]


def test_a_refusal_of_our_set_up_pauses_for_as_long_as_told() -> None:
    """It counts no strike, and a shorter pause does not end a longer one."""
    throttles = Throttles({}, chance=never)
    throttles.pause(*DOMAIN, NOW, 86_400, "550 5.7.26 no SPF")
    throttles.pause(*DOMAIN, NOW, 60, "550 5.7.26 no SPF")
    assert throttles.changed() == [Throttle(*DOMAIN, 0.0, NOW + 86_400, 0, "550 5.7.26 no SPF")]
    assert throttles.take(*DOMAIN, NOW + 86_400) == NOW + 86_400
    assert throttles.changed() == [Throttle(*DOMAIN)]


# What outlives a run

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "soft", "firm", "pause", "praised", "ready"]),
        st.sampled_from([("domain", "limited.example"), ("relay", "main"), DOMAIN]),
        st.floats(0, 200),
        st.booleans(),
    ),
    max_size=60,
)


def done(throttles: Throttles, step: str, key: tuple[str, str], now: float) -> object:
    """Do one thing; return what is seen of it. Of a place to come back at only that it is later."""
    match step:
        case "take":
            return throttles.take(*key, now) <= now
        case "soft" | "firm":
            return throttles.strike(*key, now, step, firm=step == "firm")
        case "pause":
            throttles.pause(*key, now, 90, step)
        case "praised":
            throttles.praised(*key)
    return throttles.ready_at(*key, now)


@settings(deadline=None)
@given(STEPS)
def test_a_restart_changes_nothing(steps: list[tuple[str, tuple[str, str], float, bool]]) -> None:
    """What was stored since the start, newest last, makes the same limits and pauses."""
    limits = {("domain", "limited.example"): 20.0, ("relay", "main"): 600.0}
    steady, restarted = Throttles(limits, chance=never), Throttles(limits, chance=never)
    stored: dict[tuple[str, str], Throttle] = {}
    now = float(NOW)
    for step, key, later, again in steps:
        now += later
        assert done(steady, step, key, now) == done(restarted, step, key, now)
        if again:
            stored |= {(one.scope, one.name): one for one in restarted.changed()}
            restarted = Throttles(limits, stored.values(), chance=never)
            for each in (*limits, DOMAIN):
                assert restarted.ready_at(*each, now) == steady.ready_at(*each, now)


def test_what_changed_is_told_once_as_it_is_now() -> None:
    """However often it changed, in the order of scopes and names."""
    throttles = Throttles({("relay", "main"): 60}, chance=never)
    throttles.take("relay", "main", NOW)
    throttles.take("relay", "main", NOW)
    throttles.strike(*DOMAIN, NOW, "451")
    assert throttles.changed() == [Throttle(*DOMAIN, strikes=1, words="451"), Throttle("relay", "main", NOW + 2.0)]
    assert throttles.changed() == []


def test_a_domain_that_is_well_again_is_forgotten() -> None:
    """Its row says that nothing holds it back, and nothing more is said of it."""
    throttles = Throttles({}, chance=never)
    throttles.strike(*DOMAIN, NOW, "451")
    throttles.praised(*DOMAIN)
    assert throttles.changed() == [Throttle(*DOMAIN)]
    throttles.praised(*DOMAIN)
    throttles.take(*DOMAIN, NOW)
    assert throttles.changed() == []


def test_a_limited_domain_that_is_well_again_keeps_its_limit_only() -> None:
    """The words of a refusal go with its last strike."""
    throttles = Throttles({DOMAIN: 60})
    throttles.strike(*DOMAIN, NOW, "451")
    throttles.praised(*DOMAIN)
    assert throttles.changed() == [Throttle(*DOMAIN)]
    assert throttles.take(*DOMAIN, NOW) == NOW
    assert throttles.ready_at(*DOMAIN, NOW) == NOW
    assert gone(throttles, 6, NOW)[-1] == NOW + 1
