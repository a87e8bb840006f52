"""What people type becomes a subscriber, or faults beside the fields."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Cadence, Profile, Subscriber
from digest.settings import Editions
from digest.web import forms

EDITIONS = Editions()
GOOD = {"email": ["ada@example.org"], "keywords-0": ["reward model\r\n-survey\r\n"], "zone": ["Europe/Berlin"]}
ADA = Subscriber("ada@example.org", (Profile("Digest", ("reward model",)),), skip=("2026-12-24",))


def test_what_somebody_new_types_is_a_subscriber() -> None:
    """With the morning as the time, until they choose another."""
    filled = forms.read_newcomer(GOOD | {"email": [" Ada@Example.org "], "days": ["mon"]}, EDITIONS)
    assert not filled.faults
    assert filled.subscriber == Subscriber(
        "Ada@Example.org",
        (Profile("Digest", ("reward model", "-survey")),),
        cadence=Cadence("mon", time(7, 30), "Europe/Berlin"),
        max_entries=EDITIONS.max_entries,
    )


def test_fields_that_a_form_does_not_have_stay_as_they_are() -> None:
    """The days to skip, which no form shows, among them."""
    filled = forms.read({"days": ["weekdays"]}, ADA, EDITIONS, ())
    assert filled.subscriber
    assert (filled.subscriber.profiles, filled.subscriber.skip) == (ADA.profiles, ADA.skip)
    assert filled.subscriber.cadence.days == "weekdays"


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("email", "", "no mail address"),
        ("email", "nobody", "no mail address"),
        ("email", "a@b.example, c@d.example", "no mail address"),
        ("email", "a@b.example\r\nBcc: x@y.example", "no mail address"),
        ("email", "Ada <a@b.example>", "no mail address"),
        ("email", '"a b"@example.org', "no mail address"),
        ("email", f"{'a' * 65}@example.org", "no mail address"),
        ("email", f"a@{'b' * 64}.example", "no mail address"),
        ("email", f"a@{'b.' * 130}example", "no mail address"),
        ("email", "a\u202eb@example.org", "no mail address"),
        ("email", "a@ex\x00ample.org", "no mail address"),
        ("keywords-0", " \r\n ", "at least one keyword"),
        ("keywords-0", "reward\r\nquantiz* AND", "quantiz* AND: Nothing follows AND"),
        ("keywords-0", "\n".join(map(str, range(101))), "101 keywords; 100 are the most"),
        ("keywords-0", "x" * 100_000, "at most 1000"),
        ("keywords-0", "-survey\n-review", "All of these only leave out. Add a keyword without a minus."),
        ("zone", "Europe/Berlln", "did you mean 'Europe/Berlin'"),
        ("zone", "../../etc/passwd", "is not a time zone"),
        ("send_at", "25:00", "one like"),
        ("days", "fifth monday", "no fifth monday"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_typed_is_lost(field: str, typed: str, says: str) -> None:
    """However many fields there are, the fault is at the one that is wrong."""
    filled = forms.read_newcomer(GOOD | {field: [typed]}, EDITIONS)
    assert list(filled.faults) == [field]
    assert says in filled.faults[field]
    assert filled.subscriber is None
    shown = filled.profiles[0].keywords if field == "keywords-0" else filled.values[field]
    assert shown.split() == typed.split()


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("min_matches", "40", "more than max_entries"),
        ("min_matches", "a few", "Write a whole number."),
        ("max_entries", "501", "It should be less than or equal to 500."),
        ("paused_until", "tomorrow", "Not a date"),
        ("name", "n" * 61, "at most 60"),
    ],
)
def test_a_fault_of_what_a_subscriber_can_set_stands_beside_its_field(field: str, typed: str, says: str) -> None:
    """These fields are in the preferences only."""
    filled = forms.read({field: [typed]}, ADA, EDITIONS, ())
    assert list(filled.faults) == [field]
    assert says in filled.faults[field]
    assert filled.values[field] == typed


def test_somebody_new_sets_only_what_the_first_page_shows() -> None:
    """Who fills in the form for another sets nothing that the other would not see when they confirm."""
    hidden = {"name": ["Eve"], "min_matches": ["9"], "max_entries": ["1"], "paused_until": ["2027-11-01"]}
    hidden |= {"profile-0": ["Eve"], "match-0": ["any"], "keywords-1": ["x" * 2000], "skip": ["2026-12-24"]}
    assert forms.read_newcomer(GOOD | hidden, EDITIONS) == forms.read_newcomer(GOOD, EDITIONS)


def test_a_profile_that_only_leaves_out_is_a_fault_of_its_own() -> None:
    """The others are right; words in capitals that mean NOT are no minus."""
    form = {"profile-0": ["A"], "keywords-0": ["x y"], "profile-1": ["B"], "keywords-1": ["-z"]}
    assert forms.read(form, ADA, EDITIONS, ()).faults == {
        "keywords-1": "All of these only leave out. Add a keyword without a minus."
    }


def test_all_faults_are_said_at_once() -> None:
    """Nobody has to correct one to learn of the next."""
    typed = {"email": ["nobody"], "keywords-0": ['"open'], "zone": ["Mars/Phobos"], "days": ["never"]}
    assert set(forms.read_newcomer(typed, EDITIONS).faults) == {"email", "keywords-0", "zone", "days"}


def test_a_long_keyword_is_not_repeated_in_full() -> None:
    """A fault is there to be read."""
    assert len(forms.read_newcomer(GOOD | {"keywords-0": ["x" * 100_000]}, EDITIONS).faults["keywords-0"]) < 300


@pytest.mark.parametrize(
    "address",
    ["a@lab.science", "ada+digest@example.org", "zoë@bücher.example", "δοκιμή@παράδειγμα.example", "me@localhost"],
)
def test_unusual_addresses_are_taken_as_typed(address: str) -> None:
    """New domains, plus signs, and letters beyond ASCII on both sides."""
    filled = forms.read_newcomer(GOOD | {"email": [address]}, EDITIONS)
    assert filled.subscriber
    assert filled.subscriber.email == address


def test_several_profiles_are_read_with_what_their_words_mean() -> None:
    """An unticked box beside a choice means no; empty profiles behind the first are left out."""
    form = {
        "profile-0": ["Robots"],
        "keywords-0": ["robot grasping"],
        "match-0": ["any"],
        "profile-1": ["Models"],
        "keywords-1": ["RAG"],
        "match-1": ["phrase"],
        "capitals-1": ["yes"],
        "profile-2": ["Nothing"],
        "keywords-2": ["  "],
    }
    filled = forms.read(form, ADA, EDITIONS, ())
    assert filled.subscriber
    assert filled.subscriber.profiles == (
        Profile("Robots", ("robot grasping",), "any", capitals=False),
        Profile("Models", ("RAG",), "phrase"),
    )


def test_two_profiles_of_one_name_are_a_fault_of_the_second() -> None:
    """Reasons in a mail name the profile."""
    form = {"profile-0": ["A"], "keywords-0": ["x y"], "profile-1": ["A"], "keywords-1": ["z w"]}
    assert list(forms.read(form, ADA, EDITIONS, ()).faults) == ["profile-1"]


def test_a_form_of_a_subscriber_reads_as_the_same_subscriber() -> None:
    """To save what is shown changes nothing."""
    filled = forms.of_subscriber(ADA)
    form = {name: [value] for name, value in filled.values.items()}
    form |= {"profile-0": ["Digest"], "keywords-0": [filled.profiles[0].keywords], "match-0": ["near"]}
    assert forms.read(form | {"capitals-0": ["yes"]}, ADA, EDITIONS, ()).subscriber == ADA


@pytest.mark.parametrize(
    "own", ["UTC", "Europe/Berlin", "Asia/Calcutta", "America/Argentina/Salta", "US/Pacific", "??"]
)
def test_every_zone_can_be_chosen_and_ones_own_is_there_once(own: str) -> None:
    """Also one that is spelled in an old way, or wrong."""
    names = [zone for _, choices in forms.zones(own) for zone, _ in choices]
    assert names.count(own) == 1
    assert len(names) == len(set(names)) > 400


def test_a_rule_of_days_that_is_not_in_the_list_can_stay() -> None:
    """The configuration knows more rules than the list."""
    filled = forms.read({"days": ["mon, thu"]}, ADA, EDITIONS, ())
    assert filled.days[0] == ("mon, thu", "Mon, thu")
    assert filled.subscriber


@given(
    st.dictionaries(
        st.sampled_from(
            ["email", "keywords-0", "keywords-1", "profile-1", "match-0", "zone", "send_at", "days", "name"]
        ),
        st.lists(st.text(max_size=60), max_size=2),
    )
)
def test_whatever_is_typed_has_either_faults_or_a_meaning(form: dict[str, list[str]]) -> None:
    """Never both, never neither, and never an exception."""
    filled = forms.read_newcomer(form, EDITIONS)
    assert bool(filled.faults) == (filled.subscriber is None)
