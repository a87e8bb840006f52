"""`digest suppress`: what is suppressed, until when, and what everybody else is told of it."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
from workplace import ADA, BAO, DAY, NOON, Ended, Mails, Workplace, paper, subscriber

from digest.alarms import utc
from digest.store import suppressions
from digest.store.schema import subscribers

SINCE = r"since \d{4}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture(autouse=True)
def _nobody_configured(place: Workplace) -> None:
    place.configure()


def typed(place: Workplace, monkeypatch: pytest.MonkeyPatch, text: bytes, *arguments: str) -> Ended:
    """`digest suppress` with something on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    return place.invoke("suppress", *arguments)


def checked(place: Workplace, email: str) -> str:
    """What `digest suppress check` says of an address."""
    ended = place.invoke("suppress", "check", email)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.rstrip("\n")


def test_an_address_is_suppressed_until_it_is_removed(place: Workplace) -> None:
    """Whatever its spelling; each step is told."""
    assert checked(place, BAO) == f"{BAO}: not suppressed"
    ended = place.invoke("suppress", "add", BAO, "--reason", "has left")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{BAO}: suppressed.\n", "")
    assert re.fullmatch(
        rf"Bao@Example.ORG: suppressed, {SINCE} \(manual: has left\)", checked(place, "Bao@Example.ORG")
    )
    assert place.invoke("suppress", "remove", "BAO@example.org").stdout == "BAO@example.org: may get mail again.\n"
    assert checked(place, BAO) == f"{BAO}: not suppressed"


@pytest.mark.parametrize(
    ("flags", "kind"), [((), "manual"), (("--bounce",), "bounce"), (("--complaint",), "complaint")]
)
def test_the_first_reason_stays(place: Workplace, flags: tuple[str, ...], kind: str) -> None:
    """A second one is told of it, and the exit code is 0: what was asked for is so."""
    assert place.invoke("suppress", "add", BAO, *flags).returncode == 0
    ended = place.invoke("suppress", "add", BAO, "--reason", "another")
    assert ended.returncode == 0
    assert re.fullmatch(rf"{BAO}: was suppressed already, {SINCE} \({kind}\)\.\n", ended.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "nonsense"), "'nonsense' is not a mail address"),
        (("check", "nonsense"), "'nonsense' is not a mail address"),
        (("remove", "nonsense"), "'nonsense' is not a mail address"),
        (
            ("add", BAO, "--bounce", "--complaint"),
            "--bounce and --complaint are two kinds of reasons; give one of them",
        ),
        (("remove", BAO), f"{BAO} is not suppressed; see: digest suppress list"),
        (("add",), "Missing argument"),
    ],
)
def test_a_mistake_ends_with_2(place: Workplace, arguments: tuple[str, ...], said: str) -> None:
    """And suppresses nobody."""
    ended = place.invoke("suppress", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert place.invoke("suppress", "list").stdout == "0 suppressions\n"


def test_many_come_from_standard_input(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a line; what is no address is told with its line and left out, and the exit code is 1."""
    lines = f"\ufeff{ADA}\r\n\n  {BAO}  \nnonsense\nADA@example.org\n".encode()
    ended = typed(place, monkeypatch, lines, "add", "-", "--bounce")
    assert (ended.returncode, ended.stdout) == (1, "2 suppressed, 1 already, 1 left out.\n")
    assert ended.stderr.startswith("line 4: left out: 'nonsense' is not a mail address: ")
    ended = typed(place, monkeypatch, f"{ADA}\ndora@example.org\n".encode(), "remove", "-")
    assert (ended.returncode, ended.stdout) == (0, "1 may get mail again, 1 not suppressed, 0 left out.\n")
    ended = typed(place, monkeypatch, f"{ADA}\n{BAO}".encode(), "check", "-")
    assert ended.stdout.splitlines()[0] == f"{ADA}: not suppressed"
    assert ended.stdout.splitlines()[1].endswith("UTC (bounce)")


def test_more_than_a_batch_is_suppressed(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is lost between two transactions."""
    monkeypatch.setattr("digest.cli.suppress.AT_ONCE", 3)
    lines = "".join(f"reader{number}@example.org\n" for number in range(10)).encode()
    assert typed(place, monkeypatch, lines, "add", "-").stdout == "10 suppressed, 0 already, 0 left out.\n"
    assert place.invoke("suppress", "list").stdout.splitlines()[-1] == "10 suppressions (10 manual)"


def test_no_addresses_are_no_mistake(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list suppresses nobody; one that is no text is refused as a whole."""
    ended = typed(place, monkeypatch, b"", "add", "-")
    assert (ended.returncode, ended.stdout) == (0, "0 suppressed, 0 already, 0 left out.\n")
    ended = typed(place, monkeypatch, b"b\xfccher@example.org\n", "add", "-")
    assert ended.returncode == 2
    assert "standard input cannot be read: " in ended.stderr


def test_the_list_shows_the_newest_first(place: Workplace) -> None:
    """By address where a subscriber has it; also as JSON."""
    place.invoke("subscribers", "add", BAO, "LoRA")
    with place.opened() as app, app.store.write() as connection:
        suppressions.add(connection, ADA, "complaint", "", NOON)
        suppressions.add(connection, BAO, "bounce", "5.1.1 nobody", NOON + 60)
    assert place.invoke("suppress", "list").stdout.splitlines() == [
        f"{BAO}: since {utc(NOON + 60)} (bounce: 5.1.1 nobody)",
        f"an address that is no subscriber's: since {utc(NOON)} (complaint)",
        "2 suppressions (1 bounce, 1 complaint)",
    ]
    assert json.loads(place.invoke("suppress", "list", "--json").stdout) == {
        "bounce": 1,
        "complaint": 1,
        "manual": 0,
        "left": 0,
        "newest": [
            {"email": BAO, "suppressed": True, "kind": "bounce", "reason": "5.1.1 nobody", "since": utc(NOON + 60)},
            {"email": None, "suppressed": True, "kind": "complaint", "reason": "", "since": utc(NOON)},
        ],
    }


def test_a_long_list_is_cut(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so; the count is whole."""
    monkeypatch.setattr("digest.cli.suppress._SHOWN", 2)
    with place.opened() as app, app.store.write() as connection:
        for number in range(3):
            suppressions.add(connection, f"reader{number}@example.org", "manual", "", NOON)
    lines = place.invoke("suppress", "list").stdout.splitlines()
    assert (len(lines), lines[-1]) == (3, "3 suppressions (3 manual); the newest 2 are shown")


def test_a_check_is_told_as_json(place: Workplace) -> None:
    """One object for each address."""
    with place.opened() as app, app.store.write() as connection:
        suppressions.add(connection, ADA, "bounce", "nobody", NOON)
    assert json.loads(place.invoke("suppress", "check", "--json", ADA).stdout) == [
        {"email": ADA, "suppressed": True, "kind": "bounce", "reason": "nobody", "since": utc(NOON)}
    ]
    assert json.loads(place.invoke("suppress", "check", "--json", BAO).stdout) == [{"email": BAO, "suppressed": False}]


def test_who_is_added_again_stays_suppressed_and_is_told(place: Workplace) -> None:
    """With the reason and the way out; the subscription is kept all the same."""
    place.invoke("suppress", "add", BAO, "--bounce", "--reason", "5.1.1 nobody")
    told = f"{BAO}: suppressed (bounce: 5.1.1 nobody): gets no mail until: digest suppress remove {BAO}\n"
    for _ in range(2):
        ended = place.invoke("subscribers", "add", BAO, "LoRA")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{BAO}: added.\n", told)
        with place.opened() as app, app.store.write() as connection:
            connection.execute(subscribers.delete())
    place.invoke("suppress", "remove", BAO)
    assert place.invoke("subscribers", "add", BAO, "LoRA").stderr == ""


def test_an_import_tells_who_is_suppressed(place: Workplace) -> None:
    """They are imported, and the exit code is 0."""
    place.invoke("suppress", "add", BAO)
    (place.folder / "people.csv").write_text(f"email,keywords\n{ADA},x\n{BAO},x\n")
    ended = place.invoke("subscribers", "import", "people.csv")
    assert (ended.returncode, ended.stdout) == (0, "2 added, 0 changed, 0 refused.\n")
    assert ended.stderr == f"{BAO}: suppressed (manual): gets no mail until: digest suppress remove {BAO}\n"


def test_the_list_of_subscribers_shows_it(place: Workplace) -> None:
    """Those of the configuration as well."""
    place.configure(subscriber())
    place.invoke("suppress", "add", ADA, "--complaint")
    place.invoke("subscribers", "add", BAO, "LoRA")
    place.invoke("suppress", "add", BAO, "--reason", "has left")
    assert place.invoke("subscribers", "list").stdout.splitlines() == [
        f"{ADA}  suppressed (complaint), on the first run of the day, UTC  Digest: reward model",
        f"{BAO}  suppressed (manual: has left), on the first run of the day, UTC  Digest: LoRA",
        "2 subscribers",
    ]


def test_a_removed_subscriber_may_come_back(place: Workplace) -> None:
    """To unsubscribe is not to be suppressed."""
    place.invoke("subscribers", "add", BAO, "LoRA")
    place.invoke("subscribers", "remove", BAO)
    assert checked(place, BAO) == f"{BAO}: not suppressed"
    ended = place.invoke("subscribers", "add", BAO, "LoRA")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_nothing_is_sent_to_who_is_suppressed(place: Workplace, mails: Mails) -> None:
    """Not even what is planned already; after a removal the next edition comes."""
    place.configure(subscriber(), subscriber(BAO))
    place.listing("a.jsonl", [paper("A reward model")])
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
    place.invoke("suppress", "add", ADA)
    place.run()
    assert [to for to, _ in mails.kept] == [BAO]
    place.invoke("suppress", "remove", ADA)
    place.listing("b.jsonl", [paper("Another reward model")])
    place.run(NOON + DAY)
    assert sorted(to for to, _ in mails.kept) == [ADA, BAO, BAO]
