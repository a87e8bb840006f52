"""`digest subscribers import` of many: row by row, quickly, and no less strictly than one by one."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workplace import ADA, BAO, Workplace

from digest.cli import importing
from digest.cli.people import Read, read_people, read_person
from digest.cli.rows import COLUMNS, Person, Row
from digest.config import Config
from digest.errors import UsageError
from digest.settings import Editions, Sender

CONFIG = Config(
    sender=Sender(address="digest@example.org"),
    calendars={"berlin": "berlin.ics"},
    editions=Editions(max_entries=5),
)


def field(*values: str) -> st.SearchStrategy[str]:
    """One of these, right or wrong, more often the empty text, and now and then anything."""
    anything = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
    return st.just("") | st.sampled_from(values) | anything


rows = st.builds(
    Row,
    email=st.sampled_from(
        (ADA, BAO, "Ada@Example.org", "é@bücher.example", "c@xn--bcher-kva.example", "d@-x", "e", "")
    ),
    name=field("Ada", "Ada, L."),
    zone=field("UTC", "Europe/Berlin", "Europe/Berln"),
    send_at=field("07:30", "24:00", "0730"),
    days=field("daily", "Mon and Thu", "fridy"),
    min_matches=field("1", "3", "6", "x"),
    max_entries=field("3", "500", "501"),
    paused_until=field("2026-12-01", "soon"),
    updates=field("true", "no", "perhaps"),
    skip=field("2026-12-24; berlin", "bern", "2026-13-01"),
    profile=field("Papers", "Work"),
    match=field("any", "phrase", "all"),
    capitals=field("false", "TRUE", "2"),
    keywords=field("LoRA; reward model", "LoRA\nLoRA\n-survey\n", 'x; "never closed', "(a AND", " ; "),
)
likely = st.builds(Row, email=st.sampled_from((ADA, BAO)), zone=st.just("UTC"), keywords=st.sampled_from(("x", "y; z")))


def one_by_one(groups: list[list[Row]]) -> Iterator[Read]:
    """What is said of each subscriber without anything remembered of others."""
    for group in groups:
        try:
            yield Read("", read_person("", Person(1, group).table, CONFIG))
        except UsageError as fault:
            yield Read("", None, str(fault).removeprefix(": "))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows | likely, max_size=12))
def test_many_are_read_as_each_alone(tmp_path: Path, lines: list[Row]) -> None:
    """The same subscribers, and the same words for what is wrong, whatever came before."""
    groups = [list(group) for _, group in groupby(lines, key=lambda row: row.email)]
    file = tmp_path / "people.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([COLUMNS, *lines])
    found = list(read_people(file, CONFIG))
    alone = list(one_by_one(groups))
    assert len(found) == len(alone)
    for one, other in zip(found, alone, strict=True):
        if "stands in the file twice" in one.fault:
            assert other.subscriber
        else:
            assert (one.subscriber, one.fault) == (other.subscriber, other.fault)


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("email,keywords", f"{ADA},x"),
        ("keywords,email", f"x,{ADA}"),
        ("keywords,name,email,days", f"x,Ada,{ADA}"),
        ("email,keywords,email", f"nobody,x,{ADA}"),
    ],
)
def test_columns_stand_in_any_order(tmp_path: Path, head: str, line: str) -> None:
    """Fields that a line ends before are empty; of two columns of one name the last counts."""
    file = tmp_path / "people.csv"
    file.write_text(f"{head}\n\n{line}\n", encoding="utf-8-sig")
    (read,) = read_people(file, CONFIG)
    assert read.place == f"{file}:3"
    assert read.subscriber
    assert (read.subscriber.email, read.subscriber.profiles[0].keywords) == (ADA, ("x",))


def people(count: int) -> str:
    """So many subscribers as CSV."""
    return "email,keywords\n" + "".join(f"reader{number}@example.org,x\n" for number in range(count))


def test_a_file_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    """What stands before a fault is given before the fault is seen, so no file is too long."""
    file = tmp_path / "people.csv"
    file.write_bytes(people(20_000).encode() + b'"never closed')
    read = read_people(file, CONFIG)
    assert all(one.subscriber for one in islice(read, 19_999))
    with pytest.raises(UsageError, match=r"people\.csv:20002: unexpected end of data"):
        next(read)


def test_a_file_in_another_encoding_is_told(place: Workplace) -> None:
    """With the line from which on it cannot be read, and as nothing else than wrong use."""
    place.configure()
    (place.folder / "people.csv").write_bytes(b"email,name,keywords\n" + "a@example.org,Zoë,x\n".encode("latin-1"))
    ended = place.invoke("subscribers", "import", "people.csv")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "people.csv:2: is not UTF-8: " in ended.stderr
    assert "invalid continuation byte" in ended.stderr


def test_it_is_told_how_far_a_file_is_read(tmp_path: Path) -> None:
    """Every thousand subscribers, with about how many there are."""
    file = tmp_path / "people.csv"
    file.write_text(people(2_500))
    told: list[tuple[Path, int, int]] = []
    assert sum(1 for _ in read_people(file, CONFIG, lambda *done: told.append(done))) == 2_500
    assert [(where, done) for where, done, _ in told] == [(file, 1000), (file, 2000)]
    assert all(2_000 <= total <= 3_000 for _, _, total in told)


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), 130), (UsageError("people.csv:8: the rest is gone"), 2)]
)
def test_what_is_in_stays_when_it_is_stopped(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, stop: BaseException, code: int
) -> None:
    """And it is told how many; begun again it goes on from there."""
    place.configure()
    file = place.folder / "people.csv"
    file.write_text(people(7).replace("reader1@", "nonsense"))

    def stopped(*given: object) -> Iterator[Read]:
        yield from islice(read_people(*given), 6)  # type: ignore[arg-type]  # what the command gives
        raise stop

    with monkeypatch.context() as patched:
        patched.setattr(importing, "AT_ONCE", 2)
        patched.setattr(importing, "read_people", stopped)
        ended = place.invoke("subscribers", "import", "people.csv")
    assert (ended.returncode, ended.stdout) == (code, "")
    assert "Before it stopped: 4 added, 0 changed, 1 refused. They stay; the import can be begun again." in ended.stderr
    assert place.invoke("subscribers", "import", "people.csv").stdout == "2 added, 0 changed, 1 refused.\n"


def test_a_pipe_can_be_read(place: Workplace) -> None:
    """What has no size is no less a file."""
    place.configure()
    pipe = place.folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as writer:
        writer.submit(pipe.write_text, people(1_500))
        ended = place.invoke("subscribers", "import", "pipe")
    assert (ended.returncode, ended.stdout) == (0, "1,500 added, 0 changed, 0 refused.\n")
