"""What benchmarks/loading.py measures: the same papers in every file, and readers that find all of them."""

from __future__ import annotations

from datetime import date

import loading
import pytest
from bulk import FORMATS, papers
from peers.parsing import PEERS, Peer

from digest.listings import Origin, read

SOME = 200
_PEERS = [pytest.param(name, peer, id=said) for name, peers in PEERS.items() for said, peer in peers]


def _written(name: str) -> bytes:
    return "".join(FORMATS[name](papers(SOME))).encode()


@pytest.mark.parametrize("name", FORMATS)
def test_every_file_holds_all_of_the_papers(name: str) -> None:
    """With their titles, ids and abstracts, and nothing that is rejected."""
    listing = read(_written(name), Origin(date(2026, 1, 1)))
    known = read(_written("jsonl"), Origin(date(2026, 1, 1)))
    assert not listing.rejected
    assert [one.keys for one in listing.entries] == [one.keys for one in known.entries]
    assert [one.abstract for one in listing.entries] == [one.abstract for one in known.entries]
    assert {len(one.authors) for one in listing.entries} <= {2, 3}  # a name may be drawn twice


@pytest.mark.parametrize(("name", "peer"), _PEERS)
def test_a_peer_finds_every_record(name: str, peer: Peer) -> None:
    """Otherwise its rate would say nothing."""
    try:
        found = peer(_written(name))
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    assert found == SOME


def test_a_second_file_with_the_same_papers_has_no_new_one() -> None:
    """And both loads say what they took."""
    first, second = loading.loads(["jsonl"], SOME)
    assert (first.new, second.new) == (SOME, 0)
    assert min(first.cpu, first.peak, second.cpu, second.peak) > 0
