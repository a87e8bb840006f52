"""`digest subscribers`: in and out again as they were, with every fault at its place."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable
from datetime import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workplace import ADA, BAO, Workplace, subscriber

from digest.cli.people import read_people, write_csv, write_toml
from digest.cli.rows import COLUMNS
from digest.config import Config
from digest.model import Cadence, Profile, Subscriber
from digest.profiles import check
from digest.settings import Sender

HOLIDAYS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//digest//tests//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A holiday\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
EVERY_WISH = (
    *("--days", "monday and thursday", "--min-matches", "3", "--max-entries", "7", "--paused-until", "9998-12-01"),
    *("--skip", "2026-12-24/2027-01-02", "--skip", "berlin", "--updates"),
)


@pytest.fixture(autouse=True)
def _nobody_configured(place: Workplace) -> None:
    place.configure()


def configure_holidays(place: Workplace) -> None:
    """A configuration with the calendar `berlin`."""
    (place.folder / "berlin.ics").write_text(HOLIDAYS, newline="")
    place.configure(extra='[calendars]\nberlin = "berlin.ics"')


def exported(place: Workplace, kind: str = "csv") -> str:
    """All subscribers as a text."""
    ended = place.invoke("subscribers", "export", "--format", kind)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_one_is_added_listed_changed_and_removed(place: Workplace) -> None:
    """Each step is told; what changed is what was asked for."""
    ended = place.invoke(
        *("subscribers", "add", BAO, "reward model", "LoRA", "--zone", "Europe/Berlin", "--send-at", "07:30")
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{BAO}: added.\n", "")
    lines = place.invoke("subscribers", "list").stdout.splitlines()
    assert lines == [f"{BAO}  at 07:30 Europe/Berlin  Digest: reward model, LoRA", "1 subscriber"]
    assert (
        place.invoke("subscribers", "add", "Bao@Example.org", "--", "LoRA", "-survey").stdout
        == "Bao@Example.org: changed.\n"
    )
    assert place.invoke("subscribers", "add", "Bao@Example.org", "--", "LoRA", "-survey").stdout.endswith(
        "nothing to change.\n"
    )
    assert place.invoke("subscribers", "list").stdout.splitlines()[-1] == "1 subscriber"
    assert place.invoke("subscribers", "remove", "BAO@example.org").stdout == "BAO@example.org: removed.\n"
    assert place.invoke("subscribers", "remove", BAO).returncode == 2
    assert place.invoke("subscribers", "list").stdout == "0 subscribers\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bao", "x"), "'bao' is not a mail address"),
        ((BAO, '"never closed'), "The quote is never closed"),
        ((BAO, "x", "--zone", "Berlin"), "zone: 'Berlin' is not a time zone"),
        ((BAO, "x", "--send-at", "7 o'clock"), "send_at: not a local time of day"),
        ((BAO, "x", "--max-entries", "0"), "max_entries"),
        ((BAO, "x", "--days", "fridy"), 'days: "fridy" is not understood here; did you mean "friday"?'),
        ((BAO, "x", "--min-matches", "21"), "min_matches: 21 is more than max_entries, 20; lower it"),
        ((BAO, "x", "--paused-until", "soon"), "paused_until: not a date; write one like 2026-12-01"),
        ((BAO, "x", "--skip", "2026-12-24", "--skip", "24 Dec"), 'skip[2]: "24 Dec" is no day to skip'),
        ((BAO, "x", "--skip", "berlin"), "skip: 'berlin' is not in [calendars] (it is empty); add it there"),
        ((BAO, ""), "keyword"),
        ((BAO,), "Missing argument"),
    ],
)
def test_a_mistake_ends_with_2_and_adds_nobody(place: Workplace, arguments: tuple[str, ...], said: str) -> None:
    """And the message names what is wrong."""
    ended = place.invoke("subscribers", "add", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert place.invoke("subscribers", "list").stdout == "0 subscribers\n"


def test_doubtful_keywords_are_added_with_advice(place: Workplace) -> None:
    """On standard error, and the exit code stays 0."""
    ended = place.invoke("subscribers", "add", BAO, "--", "-survey")
    assert (ended.returncode, ended.stdout) == (0, f"{BAO}: added.\n")
    assert "All keywords are exclusions" in ended.stderr


def test_who_stands_in_the_configuration_is_changed_there(place: Workplace) -> None:
    """Adding, removing and importing say where."""
    place.configure(subscriber())
    (place.folder / "more.csv").write_text(f"email,keywords\n{ADA},x\n{BAO},x\n")
    for command in (("add", "Ada@example.org", "x"), ("remove", ADA)):
        ended = place.invoke("subscribers", *command)
        assert ended.returncode == 2
        assert re.search(
            r"stands in the configuration, digest\.toml:\d+: subscribers\[1\]; change it there", ended.stderr
        )
    ended = place.invoke("subscribers", "import", "more.csv")
    assert (ended.returncode, ended.stdout) == (1, "1 added, 0 changed, 1 refused.\n")
    assert "more.csv:2: not imported: " in ended.stderr
    assert "subscribers[1]; change it there" in ended.stderr
    assert place.invoke("subscribers", "list").stdout.splitlines()[0].endswith("Digest: reward model")


def test_bad_rows_are_told_and_the_rest_is_imported(place: Workplace) -> None:
    """Each with file, line and reason; exit code 1."""
    rows = [
        "email,name,zone,keywords",
        "ada@example.org,Ada,UTC,reward model; LoRA",
        "nonsense,,,x",
        "bao@example.org,,Nowhere,x",
        'chidi@example.org,,,"""never closed"',
        "dora@example.org,,,",
        'eve@example.org,"Eve, the first",,"x',
        'y"',
        "ada@example.org,Ada,UTC,again",
    ]
    (place.folder / "people.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    ended = place.invoke("subscribers", "import", "people.csv")
    assert (ended.returncode, ended.stdout) == (1, "2 added, 0 changed, 5 refused.\n")
    told = [line for line in ended.stderr.splitlines() if line.startswith("people.csv")]
    assert [line.split(": ")[:2] for line in told] == [
        [f"people.csv:{line}", "not imported"] for line in (3, 4, 5, 6, 9)
    ], told
    assert "stands in the file twice" in told[-1]
    assert place.invoke("subscribers", "list").stdout.splitlines()[-1] == "2 subscribers"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.csv", "mail,words\na,b\n", "x.csv:1: the first line must name columns"),
        ("x.csv", "", "x.csv:1: the first line must name columns"),
        ("x.csv", "email,keywords,colour\n", "x.csv:1: the first line must name columns"),
        ("x.csv", 'email,keywords\na@example.org,"x', "x.csv:2: "),
        ("x.csv", "email,keywords\na@example.org,x,y,z\n", "x.csv:2: "),
        ("x.toml", "[[subscribers]\n", "x.toml:1:"),
        ("x.toml", "subscribers = 1\n", "x.toml: there are no [[subscribers]] tables in it"),
        ("x.toml", "[store]\n", "x.toml: there are no [[subscribers]] tables in it"),
        ("x.toml", '[[subscribers]]\nemail = "a@example.org"\n', "x.toml:1: subscribers[1]: not imported: "),
    ],
)
def test_a_file_of_another_form_is_told(place: Workplace, name: str, text: str, said: str) -> None:
    """With its line where it has one, and without a traceback."""
    (place.folder / name).write_text(text)
    ended = place.invoke("subscribers", "import", name)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr


@pytest.mark.parametrize("kind", ["csv", "toml"])
def test_an_export_imports_as_it_was(place: Workplace, kind: str) -> None:
    """Into the same database nothing changes, into an empty one all come back; to a file or to standard output."""
    configure_holidays(place)
    place.invoke("subscribers", "add", BAO, 'a "quoted; phrase"', "LoRA^2", "--name", "Bao, Ltd.", *EVERY_WISH)
    place.invoke("subscribers", "add", ADA, "x", "--match", "any", "--send-at", "23:59", "--zone", "Asia/Tokyo")
    text = exported(place, kind)
    file = f"people.{kind}"
    assert place.invoke("subscribers", "export", "--format", kind, "--out", file).stdout == f"Wrote {file}.\n"
    assert (place.folder / file).read_bytes().decode() == text
    assert place.invoke("subscribers", "import", file).stdout == "0 added, 0 changed, 0 refused.\n"
    place.database = "other.db"
    configure_holidays(place)
    assert place.invoke("subscribers", "import", file).stdout == "2 added, 0 changed, 0 refused.\n"
    assert exported(place, kind) == text


def test_an_export_of_before_there_was_a_cadence_imports(place: Workplace) -> None:
    """What has no column has its default."""
    head = "email,name,zone,send_at,max_entries,profile,match,capitals,keywords"
    (place.folder / "old.csv").write_text(f'{head}\n{BAO},Bao,Asia/Tokyo,07:30,5,Digest,near,true,"LoRA\n"\n')
    assert place.invoke("subscribers", "import", "old.csv").stdout == "1 added, 0 changed, 0 refused.\n"
    (row,) = csv.DictReader(io.StringIO(exported(place), newline=""))
    assert (row["days"], row["min_matches"], row["max_entries"]) == ("daily", "1", "5")
    assert (row["paused_until"], row["updates"], row["skip"]) == ("", "false", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", f"email,skip,keywords\n{ADA},berlin,x\n{BAO},2026-12-24; bern,x\n"),
        ("x.toml", f'[[subscribers]]\nemail = "{BAO}"\nkeywords = ["x"]\nskip = [2026-12-24, "bern"]\n'),
    ],
)
def test_an_unknown_calendar_is_not_imported(place: Workplace, name: str, text: str) -> None:
    """The message names those that there are."""
    configure_holidays(place)
    (place.folder / name).write_text(text)
    ended = place.invoke("subscribers", "import", name)
    assert ended.returncode == 1
    (told,) = ended.stderr.splitlines()
    assert told.endswith("not imported: skip: 'bern' is not in [calendars] (berlin); did you mean 'berlin'?")


def test_an_export_as_toml_can_stand_in_a_configuration(place: Workplace) -> None:
    """Appended to a configuration it is valid."""
    place.invoke("subscribers", "add", BAO, 'title:"x y"', "/re.*gex/", "--name", 'B\\ "q" \u2028 é')
    place.config.write_text(place.config.read_text() + exported(place, "toml"))
    assert place.invoke("run").returncode == 0
    assert tomllib.loads(place.config.read_text())["subscribers"][0]["profiles"][0]["keywords"] == [
        'title:"x y"',
        "/re.*gex/",
    ]


letters = st.characters(codec="utf-8", exclude_categories=["Cc"])
texts = st.text(letters, max_size=12).map(str.strip)
typed = st.text(
    st.sampled_from("ab\"';,()-*^~ |/\u2028\x85é漢") | st.characters(codec="utf-8", exclude_categories=["Cc"]),
    min_size=1,
)
keywords = typed.map(str.strip).filter(lambda text: bool(text) and not check(Profile("x", (text,))))
profiles = st.builds(
    Profile,
    name=texts.filter(bool),
    keywords=st.lists(
        keywords | st.sampled_from(('"a; b"', '"a, b"', "/a;b/", "-x")), min_size=1, max_size=3, unique=True
    ).map(tuple),
    match=st.sampled_from(("near", "any", "phrase")),
    capitals=st.booleans(),
)
people = st.builds(
    Subscriber,
    email=st.sampled_from((ADA, "Bao@Example.org", "c+x@bücher.example")),
    profiles=st.lists(profiles, min_size=1, max_size=3).map(tuple),
    name=texts,
    cadence=st.builds(
        Cadence,
        days=st.sampled_from(("daily", "weekdays", "mon, thu", "monthly on 15", "last day", "first monday")),
        send_at=st.none() | st.just(time(7, 30)),
        zone=st.sampled_from(("UTC", "Asia/Kathmandu")),
    ),
    min_matches=st.integers(1, 5),
    max_entries=st.integers(5, 500),
    paused_until=st.none() | st.dates(),
    updates=st.booleans(),
    skip=st.lists(
        st.dates().map(str) | st.sampled_from(("berlin", "2026-12-24/2027-01-02")), max_size=3, unique=True
    ).map(tuple),
)
everybody = st.lists(people, max_size=3, unique_by=lambda person: person.email)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(everybody, st.sampled_from(("csv", "toml")))
def test_whatever_the_letters_they_come_back(tmp_path: Path, written: Iterable[Subscriber], kind: str) -> None:
    """Quotes, semicolons, commas, line separators: subscribers and profiles are read as they were written."""
    file = tmp_path / f"people.{kind}"
    text = io.StringIO(newline="")
    (write_csv if kind == "csv" else write_toml)(written, text)
    file.write_bytes(text.getvalue().encode())
    config = Config(sender=Sender(address="digest@example.org"), calendars={"berlin": "berlin.ics"})
    found = [(read.subscriber, read.fault) for read in read_people(file, config)]
    assert found == [(person, "") for person in written]


def test_the_columns_are_those_of_the_help(place: Workplace) -> None:
    """What the export writes first is what the import asks for."""
    assert exported(place).splitlines() == [",".join(COLUMNS)]


def test_add_changes_only_what_is_given(place: Workplace) -> None:
    """Zone, time, days and name stay; of several profiles one must be named."""
    configure_holidays(place)
    first = ("--zone", "Asia/Tokyo", "--send-at", "07:30", "--name", "Bao", "--match", "any", *EVERY_WISH)
    assert place.invoke("subscribers", "add", BAO, "LoRA", *first).returncode == 0
    assert place.invoke("subscribers", "add", BAO, "quantization").returncode == 0
    wishes = 'Bao,Asia/Tokyo,07:30,"mon, thu",3,7,9998-12-01,true,2026-12-24/2027-01-02; berlin'
    assert exported(place).splitlines()[1] == f'{BAO},{wishes},Digest,any,true,"quantization'
    assert place.invoke("subscribers", "add", BAO, "protein", "--profile", "Biology").returncode == 0
    ended = place.invoke("subscribers", "add", BAO, "robot")
    assert ended.returncode == 2
    assert "several profiles (Digest, Biology); say which with --profile" in ended.stderr


def test_an_empty_text_brings_the_default_back(place: Workplace) -> None:
    """A pause ends, days to skip are none, a time of day is none; the rest stays."""
    configure_holidays(place)
    place.invoke("subscribers", "add", BAO, "LoRA", "--send-at", "07:30", "--name", "Bao", *EVERY_WISH)
    place.invoke("subscribers", "add", BAO, "LoRA", "--paused-until", "", "--skip", "", "--send-at", "", "--days", "")
    assert exported(place).splitlines()[1] == f'{BAO},Bao,UTC,,daily,3,7,,true,,Digest,near,true,"LoRA'


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ((), "on the first run of the day, UTC"),
        (("--days", "mon-fri", "--zone", "Asia/Tokyo"), "on the first run on weekdays, Asia/Tokyo"),
        (("--days", "sat,sun", "--send-at", "07:30"), "at 07:30 UTC on weekends"),
        (("--days", "15"), "on the first run on day 15 of the month, UTC"),
        (("--days", "31"), "on the first run on the last day of the month, UTC"),
        (("--days", "last friday"), "on the first run on the last Friday of the month, UTC"),
        (("--days", "friday"), "on the first run on Fri, UTC"),
        (
            (*EVERY_WISH, "--send-at", "07:30", "--zone", "Europe/Berlin"),
            "at 07:30 Europe/Berlin on Mon, Thu, paused until 9998-12-01, not on 2026-12-24/2027-01-02 or berlin, "
            "at least 3 matches, with new versions",
        ),
        (("--paused-until", "2000-01-01"), "on the first run of the day, UTC"),
    ],
)
def test_the_list_says_when_in_words(place: Workplace, wishes: tuple[str, ...], said: str) -> None:
    """What is as for everybody is not said, nor is a pause that is over."""
    configure_holidays(place)
    assert place.invoke("subscribers", "add", BAO, "LoRA", *wishes).returncode == 0
    assert place.invoke("subscribers", "list").stdout.splitlines()[0] == f"{BAO}  {said}  Digest: LoRA"


def test_a_pause_begins_and_ends(place: Workplace) -> None:
    """All else stays as it is, with several profiles, too."""
    place.invoke("subscribers", "add", BAO, "LoRA", "--days", "weekdays", "--skip", "2026-12-24")
    place.invoke("subscribers", "add", BAO, "protein", "--profile", "Biology")
    before = exported(place)
    ended = place.invoke("subscribers", "pause", "Bao@Example.org", "--until", "9998-12-01")
    assert (ended.returncode, ended.stdout) == (0, "Bao@Example.org: paused until 9998-12-01.\n")
    assert exported(place) == before.replace(",20,,", ",20,9998-12-01,")
    resumed = place.invoke("subscribers", "resume", BAO).stdout
    assert re.fullmatch(rf"{BAO}: resumed; the next digest is due at \S+ \S+ UTC\.\n", resumed)
    assert exported(place) == before
    assert place.invoke("subscribers", "resume", BAO).stdout.startswith(f"{BAO}: was not paused; ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause", BAO, "--until", "2000-01-01"), "--until 2000-01-01 is not in the future; name the first date with"),
        (("pause", BAO, "--until", "soon"), "paused_until: not a date; write one like 2026-12-01"),
        (("pause", BAO), "Missing option"),
        (("pause", "chidi@example.org", "--until", "9998-12-01"), "chidi@example.org is not subscribed; see: digest"),
        (("resume", "chidi@example.org"), "chidi@example.org is not subscribed; see: digest subscribers list"),
        (("pause", ADA, "--until", "9998-12-01"), "subscribers[1]; change it there"),
        (("resume", ADA), "subscribers[1]; change it there"),
    ],
)
def test_a_pause_that_cannot_be_is_told(place: Workplace, arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2, and nothing is changed."""
    place.configure(subscriber())
    place.invoke("subscribers", "add", BAO, "LoRA")
    before = exported(place)
    ended = place.invoke("subscribers", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert exported(place) == before


def test_who_wants_new_versions_says_so(place: Workplace) -> None:
    """The list tells it; it stays until it is taken back."""
    for option, said in (
        ("--updates", ", with new versions  "),
        (None, ", with new versions  "),
        ("--no-updates", "day, UTC  "),
    ):
        assert place.invoke("subscribers", "add", BAO, "LoRA", *filter(None, [option])).returncode == 0
        assert f"{said}Digest: LoRA" in place.invoke("subscribers", "list").stdout


def test_a_configuration_can_ask_for_new_versions(place: Workplace) -> None:
    """Yes or no; anything else is a mistake at its line."""
    place.configure(subscriber(updates=True))
    assert "with new versions" in place.invoke("subscribers", "list").stdout
    place.configure(subscriber(updates="sometimes"))
    ended = place.invoke("subscribers", "list")
    assert ended.returncode == 2
    assert "updates: " in ended.stderr
