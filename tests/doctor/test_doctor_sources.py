"""What `digest doctor` finds where listings come from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_site import Site, says, serving
from workplace import NOON, Workplace, subscriber

from digest import fetch, sources
from digest.config import Config, load
from digest.doctor import files
from digest.doctor.fetching import fetched
from digest.doctor.findings import Finding, Level, examined


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on loopback."""
    with serving() as served:
        yield served


def config(place: Workplace, *tables: str) -> Config:
    place.configure(subscriber(), extra="\n".join(tables))
    return load(place.config)


def source(site: Site, path: str) -> str:
    return f'[[sources]]\nname = "arxiv"\nurl = "{site.url}{path}"\nallow_private = true\n'


def found(config: Config) -> Finding:
    """What is found of its only source."""
    [remote] = sources.remotes(config)
    [finding] = examined([("source", lambda: fetched(remote))])
    return finding


def test_a_source_that_gives_its_file_is_well(place: Workplace, site: Site) -> None:
    """Its size is told, its token is not, and nothing is kept."""
    site.on("/papers", says(200, b"papers"))
    finding = found(config(place, source(site, "/papers?token=t")))
    assert (finding.level, finding.what) == (Level.OK, f"arxiv ({site.url}/papers?…): 6 bytes")
    assert list(place.listings.iterdir()) == []


def test_a_source_that_does_not_is_told(place: Workplace, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; and so is a library that is missing."""
    site.on("/papers", says(404))
    told = config(place, source(site, "/papers"))
    finding = found(told)
    assert finding.level is Level.WARNING
    assert "not fetched: 404 Not Found" in finding.what
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    assert found(told).level is Level.ERROR


def test_places_of_sources_are_looked_at_as_paths_are(place: Workplace, site: Site) -> None:
    """A folder of what was never fetched need not be there; one that is configured must."""
    named = '[[sources]]\nname = "team"\npath = "team"\n'
    [finding] = files.listings(config(place, source(site, "/papers")), NOON)
    assert finding.level is Level.NOTE
    [finding] = files.listings(config(place, named), NOON)
    assert (finding.level, "team: there is no such file or folder" in finding.what) == (Level.ERROR, True)


def test_a_token_in_the_file_makes_it_a_secret(place: Workplace) -> None:
    """As a password does."""
    token = 'headers = { Authorization = "Bearer t" }\n'
    told = config(place, '[[sources]]\nname = "arxiv"\nurl = "https://example.org"\n' + token)
    assert files._holds_secret(told)
    assert not files._holds_secret(config(place))
