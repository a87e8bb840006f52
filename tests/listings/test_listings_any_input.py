"""Whatever a file holds, every format gives a listing or says why there is none; `fuzz_listings.py` goes on."""

from __future__ import annotations

import json
import random

import pytest
from fuzz_listings import CHECKS, ORIGIN, SEEDS, text_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangling import SIGNS, assert_sound, mangled, mangled_bytes

from digest.listings.sniff import FORMATS

every_format = pytest.mark.parametrize("name", FORMATS)
every_container = pytest.mark.parametrize("name", [name for name in CHECKS if name not in FORMATS])
patient = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
signs = st.sampled_from(("a", "B", "7", " ", "\n", *SIGNS)) | st.characters(codec="utf-8")
prose = st.lists(signs, max_size=200).map("".join)
seeds = st.integers(0, 2**32)
keys = st.sampled_from(("title", "authors", "name", "votes", "upvotes", "id", "url", "tags", "date_published", "é"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["http://[", "2025-01-01"]),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("csv", "Title,Not\u2028 used\nA,b\n"),
        ("csv", "Title,Code\nA,https://example.org/\x13code\n"),
        ("csv", f"Title,{'n' * 59} o\nA,b\n"),
        ("bibtex", "@misc{a,\n title = {A},\n primary with $k<n$ rows\n\nand so on\n}\n"),
        ("bibtex", f"@misc{{a,\n title = {{A}},\n primary {'and so on ' * 500}\n}}\n"),
    ],
)
def test_what_is_said_of_a_file_is_one_short_line(name: str, text: str) -> None:
    """A note or reason that quotes the file (found by the fuzzer) has no line ends of its own, and an end."""
    listing = FORMATS[name].parse(text, ORIGIN)
    assert_sound(listing, text)
    assert all(len(one.reason) <= 300 for one in listing.rejected)


def test_reasons_are_kept_for_the_first_of_many_rejections() -> None:
    """A file that is no listing does not fill the memory with reasons; the others are counted."""
    listing = FORMATS["jsonl"].parse('{"title": "a"}\n' + "{}\n" * 10_002, ORIGIN)
    assert (len(listing.entries), len(listing.rejected)) == (1, 10_000)
    assert listing.warnings == ("2 more records were not loaded; the reasons of the first 10,000 are kept",)


@every_format
@given(text=prose)
@patient
def test_any_text_is_a_listing_or_refused(name: str, text: str) -> None:
    """Each parser takes any text, and gives sound entries and rejections."""
    CHECKS[name](text.encode())


@pytest.mark.parametrize(("name", "held"), [("json", "entries"), ("jsonfeed", "items"), ("hf-daily", "paper")])
@given(
    value=values,
    about=st.dictionaries(keys, values),
    indent=st.sampled_from([None, 1]),
    cut=st.none() | st.integers(0, 600),
)
@settings(patient, max_examples=200)
def test_any_json_cut_anywhere_is_a_listing_or_refused(
    name: str, held: str, value: object, about: dict[str, object], indent: int | None, cut: int | None
) -> None:
    """Whatever stands where records should, alone or among others, and wherever the text is cut."""
    for whole in (value, about | {held: value}, [about | {held: value}]):
        CHECKS[name](json.dumps(whole, indent=indent)[:cut].encode())


@every_format
@given(seed=seeds)
@patient
def test_any_damaged_listing_is_a_listing_or_refused(name: str, seed: int) -> None:
    """Each parser takes its own listings with lines lost, doubled, moved and spoiled, and now and then another's."""
    rng = random.Random(seed)
    own = [file for file in SEEDS if file.format == name]
    file = rng.choice(own if own and rng.random() < 0.8 else SEEDS)
    CHECKS[name](mangled(text_of(file.content), rng).encode())


@every_container
@given(content=st.binary(max_size=300) | prose.map(str.encode))
@patient
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    """What comes before the parsers takes any bytes."""
    CHECKS[name](content)


@every_container
@given(seed=seeds)
@patient
def test_any_damaged_file_is_read_or_refused(name: str, seed: int) -> None:
    """The same of files in archives, mails and other charsets, with bytes lost, doubled and flipped."""
    rng = random.Random(seed)
    CHECKS[name](mangled_bytes(rng.choice(SEEDS).content, rng))
