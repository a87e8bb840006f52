"""The state of each configured path, by what was loaded from it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from digest.alarms import SourceState, Watched
from digest.listings import folder
from digest.store import fetches
from digest.store.fetches import Fetch
from digest.store.schema import files, runs
from digest.store.sources import covers, states
from digest.store.store import Store

NOW = 1_795_158_000


def loaded(store: Store, *found: tuple[str, int], fault: str = "", format_: str = "json") -> None:
    """Note files as loaded, one a minute from NOW on: path and number of entries."""
    rows = [
        {"digest": path + str(at), "path": path, "size": 1, "mtime_ns": 1, "loaded_at": NOW + at, "format": format_}
        | {"curator": "", "entries": entries, "new": 0, "warnings": ["odd", fault] if fault else []}
        for at, (path, entries) in enumerate(found)
    ]
    with store.write() as connection:
        connection.execute(insert(files), rows)


def state(store: Store, path: str) -> SourceState:
    """The state of one path."""
    with store.read() as connection:
        [found] = states(connection, [Watched(path)])
        return found


def counts(store: Store, path: str, file: str) -> bool:
    """Whether a file counts for a path, with another loaded before it."""
    with store.write() as connection:
        connection.execute(files.delete())
    loaded(store, ("/zzz/a.txt", 1), (file, 1))
    return state(store, path).last_path == file


def test_a_folder_is_judged_by_its_newest_file(store: Store) -> None:
    """The newest is the one loaded last, at any depth; what came to other folders is theirs."""
    loaded(store, ("/in/b.txt", 3), ("/in/deep/a.txt", 5), ("/other/c.txt", 0))
    assert state(store, "/in") == SourceState(Watched("/in"), NOW + 1, 5, "/in/deep/a.txt", NOW + 1)
    assert state(store, "/other") == SourceState(Watched("/other"), None, 0, "/other/c.txt", NOW + 2)


def test_files_without_entries_do_not_make_a_source_new(store: Store) -> None:
    """The newest file that gave entries is found behind them, and why the last one gave none."""
    loaded(store, ("/in/a.txt", 3), *((f"/in/{number}.txt", 0) for number in range(500)), fault="no entries found")
    assert state(store, "/in") == SourceState(Watched("/in"), NOW, 0, "/in/499.txt", NOW + 500, "no entries found")


def test_what_is_no_listing_says_nothing_of_a_folder(store: Store) -> None:
    """It may lie there; but a source that is this one file is told of it."""
    loaded(store, ("/in/a.txt", 3))
    loaded(store, ("/in/paper.pdf", 0), fault="a binary file", format_="")
    assert [state(store, path).last_path for path in ("/in", "/in/*")] == ["/in/a.txt"] * 2
    assert state(store, "/in/paper.pdf") == SourceState(
        Watched("/in/paper.pdf"), None, 0, "/in/paper.pdf", NOW, "a binary file"
    )


def test_a_path_without_files_has_the_moment_of_the_first_run(store: Store) -> None:
    """So that one which never gives anything can be told from one that is new."""
    assert state(store, "/in") == SourceState(Watched("/in"))
    with store.write() as connection:
        row = {"progress_at": NOW, "report": {}}
        connection.execute(insert(runs), [row | {"started_at": NOW + at} for at in (5, 60)])
    assert state(store, "/in") == SourceState(Watched("/in"), watched_since=NOW + 5)


def test_a_file_belongs_to_the_first_source_that_has_it(store: Store) -> None:
    """A file, a glob and a folder side by side, in the order given; the folder is as new as what is within it."""
    loaded(store, ("/in/c.txt", 3), ("/in/a.txt", 1), ("/in/b.json", 2))
    with store.read() as connection:
        paths = ["/in/a.txt", "/in/*.json", "/in", "/in/c.txt", "/in/*.xml"]
        found = states(connection, [Watched(path) for path in paths])
    assert [s.last_entries for s in found] == [1, 2, 3, None, None]
    assert [s.newest_at for s in found] == [NOW + 1, NOW + 2, NOW + 2, NOW, None]


def test_a_source_that_is_fetched_has_its_last_fetch(store: Store) -> None:
    """When it went well last, and why not since; what is known of another address of old is not told of a path."""
    with store.write() as connection:
        fetches.save(connection, Fetch("a", "https://example.org", fetched_at=NOW, words="404"))
    with store.read() as connection:
        found = states(connection, [Watched("/in", "a", "https://example.org"), Watched("/in", "a")])
    assert [(s.fetched_at, s.fetch_fault) for s in found] == [(NOW, "404"), (None, "")]


OTHERS = [
    ("/in_1", "/inx1/a.txt"),
    ("/in%", "/in-other/a.txt"),
    ("/in", "/in2/a.txt"),
    ("/in", "/IN/a.txt"),
    ("/in/a.txt", "/in/A.txt"),
    ("/in/*.txt", "/in/deep/a.txt"),
    ("/in/*.txt", "/in/a.txt.json"),
    ("/in*/x", "/in/deep/x/a.txt"),
    ("/in/[ab].txt", "/in/c.txt"),
]
OWN = [
    ("/in_1", "/in_1/a.txt"),
    ("/100%", "/100%/a.txt"),
    ("/papers [old]", "/papers [old]/a.txt"),
    ("/papers [old]/*.txt", "/papers o/a.txt"),
    ("/é\\'", "/é\\'/a.txt"),
    ("/", "/a.txt"),
    ("/in/../in", "/in/../in/a.txt"),
    ("/in/*", "/in/deep/er/a.txt"),
    ("/in/**/*.txt", "/in/a.txt"),
    ("/in/**/*.txt", "/in/deep/er/a.txt"),
    ("/*/x", "/in/x/a.txt"),
    ("/in/?.txt", "/in/é.txt"),
]


def test_signs_and_capitals_in_a_path_stand_for_themselves(store: Store) -> None:
    """No wildcard of SQL takes in another folder, and `*` stops at a slash."""
    assert [(path, file) for path, file in OTHERS if counts(store, path, file)] == []


def test_a_path_finds_its_files(store: Store) -> None:
    """Folders by their name whatever stands in it, globs by their signs, and what lies in a folder that a glob hits."""
    assert [(path, file) for path, file in OWN if not counts(store, path, file)] == []


def test_what_a_path_covers_is_told_without_the_database() -> None:
    """By the same rules."""
    assert [(path, file) for path, file in OTHERS if covers(path, file)] == []
    assert [(path, file) for path, file in OWN if not covers(path, file)] == []


NAMES = ["a.txt", "b.txt", "a/a.txt", "a/c.txt", "a/b/c.txt", "b/b/a.txt", "x/b/c.txt", "x/y/a", "ab/c.json"]
PATTERNS = ["*", "*.txt", "a*", "**/*.txt", "**", "a/*", "*/b", "?.txt", "[ab]", "a/**/c.txt", "**/b/*", "no*"]


def test_a_glob_means_what_it_means_to_the_walk(store: Store, tmp_path: Path) -> None:
    """Just the files that the walk over the disk finds are of the source."""
    tree = tmp_path / "tree"
    for name in NAMES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    for pattern in PATTERNS:
        walked = folder.scan([tree / pattern], 0, datetime.now(UTC), 99, lambda *_: False)
        found = {str(one.path.relative_to(tree)) for one in walked if isinstance(one, folder.Found)}
        assert {name for name in NAMES if counts(store, f"{tree}/{pattern}", f"{tree}/{name}")} == found, pattern
