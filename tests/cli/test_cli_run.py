"""`digest run`, `load`, `preview`, `status`, `init` and `demo`: exit codes, JSON, and when they are silent."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from email import message_from_bytes, policy
from typing import Any

import pytest
from heartbeat_service import serving
from workplace import ADA, BAO, DIGEST, REPOSITORY, Mails, Workplace, body_of, paper, subscriber

from digest.model import State

NOW = ("--now", "2026-11-20T12:00+00:00")
KEYS = [
    "loaded",
    "planned",
    "sent",
    "deferred",
    "failed",
    "unknown",
    "empty",
    "suppressed",
    "left",
    "relay_error",
    "refused",
    "seconds",
    "reason",
]


@pytest.fixture(autouse=True)
def _listing(place: Workplace) -> None:
    place.listing("a.jsonl", [paper("A reward model"), paper("Cooking")])


def test_cron_hears_nothing_when_all_is_well(place: Workplace, mails: Mails) -> None:
    """No line on either stream, with mail, without, and with nobody due; the process really is `digest`."""
    ended = place.command("run")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert len(mails.kept) == 1
    ended = place.command("run")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_cron_hears_of_a_failure(place: Workplace, mails: Mails) -> None:
    """Exit code 1, and a line on standard error with address and reason."""
    place.configure(subscriber(), subscriber(BAO))
    mails.refused = {BAO}
    ended = place.invoke("run")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"bao@example\.org: failed: 5\d\d .+\n", ended.stderr)


def test_run_json_has_the_keys_of_the_contract(place: Workplace) -> None:
    """In order: numbers, two texts, and whether the relay refuses us."""
    first = json.loads(place.invoke("run", "--json", *NOW).stdout)
    assert list(first) == KEYS
    known = {"loaded": 2, "planned": 1, "sent": 1, "relay_error": "", "seconds": first["seconds"], "reason": ""}
    assert first == dict.fromkeys(KEYS, 0) | known
    assert first["seconds"] >= 0
    second = json.loads(place.invoke("run", "--json", *NOW).stdout)
    numbers = [key for key in KEYS if key not in ("relay_error", "reason", "seconds")]
    assert {key: second[key] for key in numbers} == dict.fromkeys(numbers, 0)
    assert "nobody is due" in second["reason"]


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((), "there are no subscribers"),
        ((subscriber(keywords=["zebra"]),), "no new entry matched"),
        ((subscriber(send_at="18:00"),), "nobody is due; the next is due at"),
    ],
)
def test_to_send_nothing_is_no_failure(place: Workplace, mails: Mails, people: tuple[str, ...], reason: str) -> None:
    """Exit code 0, and the reason in the JSON."""
    place.configure(*people)
    ended = place.invoke("run", "--json", *NOW)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert reason in json.loads(ended.stdout)["reason"]
    assert not mails.kept


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("run", "--nonsense"), "No such option"),
        (("nonsense",), "No such command"),
        (("preview",), "Missing argument"),
        (("run", "--now", "yesterday"), "--now 'yesterday' is not a time; write one like 2026-11-20T07:00"),
        (("run", "--config", "nowhere.toml"), "nowhere.toml: there is no such file. Write one with: digest init"),
        (("preview", "nobody@example.org"), "nobody@example.org is not subscribed"),
        (("preview", "no body ö"), "'no body ö' is not a mail address"),
        (("preview", "ada@example.org", "--format", "pdf"), "html"),
        (("preview", "ada@example.org", "--out", "nowhere/x.html"), "nowhere/x.html"),
        (("subscribers", "remove", "nobody@example.org"), "nobody@example.org is not subscribed"),
        (("subscribers", "remove", "ö ö"), "'ö ö' is not a mail address"),
        (("subscribers", "import", "nowhere.csv"), "nowhere.csv"),
        (("subscribers", "export", "--out", "nowhere/x.csv"), "nowhere/x.csv"),
    ],
)
def test_wrong_use_ends_with_2_and_a_hint(place: Workplace, command: tuple[str, ...], said: str) -> None:
    """On standard error, without a traceback."""
    ended = place.invoke(*command)
    assert ended.returncode == 2, ended
    assert said in " ".join(re.sub(r"[│╭╰─╮╯]", " ", ended.stderr).split())


def test_a_bad_configuration_ends_with_2_and_its_place(place: Workplace, mails: Mails) -> None:
    """In every command that reads one, before anything is done; all faults at once."""
    place.config.write_text(
        place.config.read_text().replace("port =", "prot =").replace("[sender]\naddress", "[sender]\nadress")
    )
    for command in (("run",), ("load",), ("status",), ("preview", ADA), ("subscribers", "list")):
        ended = place.invoke(*command)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert re.search(r"digest\.toml:\d+: smtp\.prot: .*did you mean 'port'", ended.stderr), ended.stderr
        assert "sender.adress" in ended.stderr
    assert not mails.kept
    assert not (place.folder / "digest.db").exists()


def test_load_json_has_the_keys_of_the_contract(place: Workplace) -> None:
    """A line for each new file, with what was rejected and warned of; 1 if something was."""
    (place.listings / "b.jsonl").write_text('{"title": "Second"}\n{"title": ""}\n{"title": "Third", "odd": 1}\n')
    ended = place.invoke("load", "--json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert list(told) == ["files", "new_entries"]
    known = ["path", "format", "entries", "new", "updated", "rejected", "notes", "warnings", "fault", "rejections"]
    assert [list(file) for file in told["files"]] == [known] * 2
    one, two = told["files"]
    assert one == {
        **one,
        "path": str(place.listings / "a.jsonl"),
        "format": "jsonl",
        "entries": 2,
        "new": 2,
        "rejected": 0,
    }
    assert (two["entries"], two["rejected"], len(two["warnings"]), told["new_entries"]) == (2, 1, 1, 4)
    [rejection] = two["rejections"]
    assert (two["fault"], rejection["line"], rejection["excerpt"]) == ("", 2, '{"title": ""}')
    assert "listings/b.jsonl:2: not loaded: " in ended.stderr
    ended = place.invoke("load", "--json")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"files": [], "new_entries": 0})


def test_load_takes_files_of_its_own(place: Workplace) -> None:
    """Relative to where it is called, and a missing one is told."""
    (place.folder / "mine.json").write_text('[{"title": "Mine"}]')
    ended = place.invoke("load", "mine.json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "1 new entry from 1 new file"
    ended = place.invoke("load", "yours.json")
    assert ended.returncode in (1, 2)
    assert "yours.json: not loaded: there is no such file or folder" in ended.stderr


def test_a_dry_run_lists_the_entries_and_changes_nothing(place: Workplace, mails: Mails) -> None:
    """Not a byte of any table; then the real run sends just what was listed."""
    assert place.invoke("status").returncode == 0
    before = place.dump()
    ended = place.invoke("run", "--dry-run", *NOW)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.match(
        r"ada@example\.org: 1 entry of 2\n   1\. A reward model  \[reward model\]  \d+\.\d\n\Z", ended.stdout
    )
    assert place.dump() == before
    assert not mails.kept
    assert place.invoke("run", *NOW).returncode == 0
    assert "Nothing would be sent: nobody is due" in place.invoke("run", "--dry-run", *NOW).stdout
    assert len(mails.kept) == 1


def test_now_replays_a_day(place: Workplace, mails: Mails) -> None:
    """The mail has that date, with or without a zone in the option."""
    assert place.invoke("run", "--now", "2026-03-13T07:30+01:00").returncode == 0
    assert mails.parsed(ADA)[0]["Date"].datetime.isoformat() == "2026-03-13T06:30:00+00:00"
    assert "13 Mar" in mails.parsed(ADA)[0]["Subject"]


def test_a_preview_is_what_is_then_sent(place: Workplace, mails: Mails) -> None:
    """The .eml to the last byte, and its two parts; nothing is kept of it."""
    before = place.dump()
    eml = place.invoke("preview", ADA, "--format", "eml", *NOW)
    html, text = (place.invoke("preview", ADA, "--format", name, *NOW) for name in ("html", "text"))
    assert (eml.returncode, eml.stderr) == (0, "")
    assert place.dump() == before
    place.invoke("run", *NOW)
    assert mails.to(ADA) == [eml.output]
    (mail,) = mails.parsed(ADA)
    assert (html.stdout, text.stdout) == (body_of(mail, "html"), body_of(mail, "plain"))
    again = place.invoke("preview", ADA, "--format", "eml", *NOW)
    assert again.output == eml.output


def test_a_preview_is_written_where_it_is_wanted(place: Workplace) -> None:
    """And standard output says so."""
    ended = place.invoke("preview", ADA, "--format", "text", "--out", "mail.txt", *NOW)
    assert (ended.returncode, ended.stdout) == (0, "Wrote mail.txt.\n")
    assert "A reward model" in (place.folder / "mail.txt").read_text()


def test_a_preview_of_nothing_says_so_beside_the_mail(place: Workplace) -> None:
    """Not in the file that standard output may go to."""
    place.configure(subscriber(keywords=["zebra"]))
    ended = place.invoke("preview", ADA)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "no entry matches" in ended.stderr


def test_status_says_what_is_there(place: Workplace) -> None:
    """Before the first run as after it; configured subscribers count from the start."""
    place.configure(subscriber(), subscriber(BAO, ["zebra"]))
    lines = place.invoke("status").stdout.splitlines()
    assert lines[0] == "2 subscribers, 0 entries from 0 files"
    assert lines[1:] == ["editions: none yet", *lines[2:3], "last run: none yet"]
    place.invoke("run", *NOW)
    lines = place.invoke("status").stdout.splitlines()
    assert lines[0] == "2 subscribers, 2 entries from 1 file"
    assert lines[1] == "editions: 1 sent, 1 empty"
    assert lines[2] == "  1 empty: no new entry matched"
    told = "last run: 2026-11-20 12:00 UTC, 2 loaded, 1 planned, 1 sent, 1 empty"
    assert re.fullmatch(rf"{told}(, in \d+\.\d s)?", lines[4])
    facts = json.loads(place.invoke("status", "--json").stdout)
    assert (facts["subscribers"], facts["entries"], facts["files"], facts["editions"]["sent"]) == (2, 2, 1, 1)
    assert list(facts["last_run"]["report"]) == KEYS


def test_init_writes_a_configuration_that_works(place: Workplace, mails: Mails) -> None:
    """It keeps what is there, and its file runs as it stands once the port is that of a relay."""
    ended = place.invoke("init")
    assert ended.returncode == 2
    assert "digest.toml is there already and was left as it is" in ended.stderr
    ended = place.invoke("init", "new/digest.toml")
    assert ended.returncode == 0
    assert "digest run" in ended.stdout
    new = place.folder / "new" / "digest.toml"
    new.write_text(new.read_text().replace("port = 2525", f"port = {mails.port}"))
    (new.parent / "listings" / "a.json").write_text('[{"title": "A reward model"}]')
    assert place.invoke("run", "--config", "new/digest.toml").returncode == 0
    assert len(mails.to(ADA)) == 1


@pytest.mark.parametrize("extra", ["", "--open"])
def test_the_demo_sends_once_and_says_so(place: Workplace, monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """A table of what went to whom and why, each mail as two files; the second time nothing is sent."""
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    command = ("demo", "try", *([extra] if extra else []))
    ended = place.invoke(*command)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"3 sent in \d+\.\d s\.", ended.stdout)
    files = sorted((place.folder / "try" / "mails").iterdir())
    assert [file.suffix for file in files] == [".eml", ".html"] * 3
    for file in files:
        assert f"try/mails/{file.name}" in ended.stdout
    mail = message_from_bytes(files[0].read_bytes(), policy=policy.strict)
    assert body_of(mail, "html").encode() == files[1].read_bytes()
    assert len(shown) == (3 if extra else 0)
    again = place.invoke("demo", "try")
    assert again.returncode == 0
    assert "Nothing is sent twice" in again.stdout
    assert sorted((place.folder / "try" / "mails").iterdir()) == files


def test_the_demo_does_not_work_in_a_file(place: Workplace) -> None:
    """It says so and what to do."""
    ended = place.invoke("demo", "digest.toml")
    assert ended.returncode == 2
    assert "name another folder" in ended.stderr


def test_every_command_explains_its_options(place: Workplace) -> None:
    """--help names each command and each option, with words beside it."""
    pages = {"": place.invoke("--help").stdout}
    for command in ("init", "load", "run", "preview", "status", "demo", "subscribers"):
        assert re.search(rf"^\s+{command}\s+\S", pages[""], re.MULTILINE), command
        pages[command] = place.invoke(command, "--help").stdout
    for command in ("add", "import", "export", "list", "remove"):
        pages[f"subscribers {command}"] = place.invoke("subscribers", command, "--help").stdout
    for name, page in pages.items():
        assert re.search(r"--help\s+\S", page), name
        assert name in ("", "init", "demo", "subscribers") or "--config" in page, name
        for option in re.findall(r"^\s+(?:-\w, )?(--[\w-]+)(?:, -\w)?.*$", page, re.MULTILINE):
            assert re.search(rf"{option}\b.*?\s{{2,}}\S|{option}.*\n\s{{10,}}\S", page), (name, option)
    assert "--dry-run" in pages["run"]
    assert "--json" in pages["run"]
    assert "--now" in pages["run"]


def test_a_reader_that_hangs_up_is_no_fault(place: Workplace) -> None:
    """`digest status | head -0` ends quietly."""
    process = place.start("subscribers", "export")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


def test_the_version_is_told(place: Workplace) -> None:
    """On standard output, with exit code 0."""
    ended = place.invoke("--version")
    assert ended.returncode == 0
    assert re.fullmatch(r"digest \d+\.\d+\.\d+\S*\n", ended.stdout)


def test_without_a_command_there_is_help() -> None:
    """The commands are listed."""
    ended = subprocess.run([*DIGEST], capture_output=True, text=True, check=False, env={"PYTHONPATH": str(REPOSITORY)})
    assert ended.returncode in (0, 2)
    assert "subscribers" in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [("status",), ("subscribers", "list"), ("subscribers", "export")])
def test_to_look_changes_nothing(place: Workplace, command: tuple[str, ...]) -> None:
    """Commands that show something show the configured subscribers, and leave the database as it was."""
    before = place.dump()
    ended = place.invoke(*command)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "1 subscriber" in ended.stdout or ADA in ended.stdout
    assert place.dump() == before


def test_a_fresh_file_is_given_a_moment_to_settle(place: Workplace) -> None:
    """By the clock of the system, which counts whole seconds: it is loaded by the command that found it."""
    place.config.write_text(place.config.read_text().replace("settle_seconds = 0", "settle_seconds = 0.2"))
    place.listing("b.jsonl", [paper("Fresh")])
    ended = place.invoke("load", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["new_entries"] == 3


def test_a_dry_run_can_be_read_by_programs(place: Workplace, mails: Mails) -> None:
    """With --json: each mail with its entries and keywords; an empty list when there is none."""
    (told,) = json.loads(place.invoke("run", "--dry-run", "--json").stdout)
    assert list(told) == ["email", "matched", "considered", "entries"]
    assert told["email"] == ADA
    assert list(told["entries"][0]) == ["title", "keywords", "score"]
    assert not mails.kept
    assert place.invoke("run").returncode == 0
    assert json.loads(place.invoke("run", "--dry-run", "--json").stdout) == []


def test_trouble_with_a_name_is_told_once(place: Workplace) -> None:
    """A link to nowhere in the folder is reported, and again only when it has changed."""
    link = place.listings / "lost.txt"
    link.symlink_to(place.folder / "nowhere")
    first, second = place.invoke("load"), place.invoke("load")
    assert (first.returncode, second.returncode) == (1, 0)
    assert "lost.txt: not loaded: a link to a file that does not exist" in first.stderr
    link.unlink()
    link.symlink_to(place.folder / "nowhere else")
    assert place.invoke("load").returncode == 1


def test_a_preview_goes_by_the_keywords_of_now(place: Workplace, mails: Mails) -> None:
    """After today's mail, changed keywords show what the last days have for them."""
    assert place.invoke("run").returncode == 0
    assert place.invoke("preview", ADA, "--format", "text").stdout
    place.configure(subscriber(keywords=("zzzz",)))
    assert "nothing to show" in place.invoke("preview", ADA).stderr


def test_status_names_what_was_not_sent(place: Workplace, mails: Mails) -> None:
    """With address, state and the server's words."""
    mails.refused.add(ADA)
    assert place.invoke("run").returncode == 1
    (problem,) = json.loads(place.invoke("status", "--json").stdout)["problems"]
    assert (problem["email"], problem["code"] >= 400) == (ADA, True)
    assert f"{ADA}: {problem['state']}: {problem['code']} " in place.invoke("status").stdout


def test_status_counts_the_files_that_were_loaded(place: Workplace) -> None:
    """A name that gave trouble is no listing file."""
    (place.listings / "lost.txt").symlink_to(place.folder / "nowhere")
    assert place.invoke("load").returncode == 1
    assert json.loads(place.invoke("status", "--json").stdout)["files"] == 1


@pytest.mark.parametrize(("reachable", "path"), [(True, "/secret-id"), (False, "/secret-id/fail")])
def test_the_heartbeat_hears_of_every_run(place: Workplace, mails: Mails, reachable: bool, path: str) -> None:
    """A good one and a failed one, each by its address; cron sees the same as without."""
    with serving() as service:
        place.port = mails.port if reachable else 1
        place.configure(subscriber(), extra=f'[alarms]\nheartbeat = "{service.url}"')
        ended = place.invoke("run", *NOW)
    assert (ended.returncode, bool(ended.stderr)) == (int(not reachable), not reachable)
    ((_, called, body),) = service.told
    assert called == path
    assert ("relay could not be used" in body) is not reachable


def test_a_run_stops_in_time(place: Workplace, mails: Mails) -> None:
    """With no time at all nothing is sent and nothing fails; the next run sends what is left."""
    ended = place.invoke("run", "--at-most", "0", "--json", *NOW)
    assert (ended.returncode, ended.stderr, mails.kept) == (0, "", [])
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
    counts = json.loads(place.invoke("run", "--at-most", "0", "--json", *NOW).stdout)
    assert (counts["left"], counts["sent"], counts["reason"]) == (1, 0, "")
    assert json.loads(place.invoke("run", "--at-most", "5", "--json", *NOW).stdout)["sent"] == 1
    assert len(mails.kept) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_finishes_what_is_in_flight(
    place: Workplace, mails: Mails, how: signal.Signals
) -> None:
    """SIGTERM or Ctrl-C: no other edition is taken, none stays in doubt, and the exit code is 0."""
    people = [subscriber(f"reader{number}@example.org") for number in range(30)]
    place.configure(*people, smtp="connections = 1")
    running = place.start("run")
    mails.on_mail = lambda: running.send_signal(how) if len(mails.kept) == 3 else None
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (0, "")
    sent = len(mails.kept)
    assert 3 <= sent < 30
    assert place.states() == {State.SENT: sent, State.PLANNED: 30 - sent}
    mails.on_mail = None
    assert place.invoke("run").returncode == 0
    assert len({recipient for recipient, _ in mails.kept}) == len(mails.kept) == 30


def test_an_alarm_comes_once_and_its_end_once(place: Workplace, mails: Mails) -> None:
    """A file without entries breaks its source; the next good one mends it; status shows it meanwhile."""
    place.configure(subscriber(), extra='[alarms]\nto = ["ops@example.org"]')
    place.invoke("run", *NOW)
    (place.listings / "b.json").write_text("[]")
    for _ in range(3):
        place.invoke("run", "--now", "2026-11-20T12:30+00:00")
    assert "gave no entries" in place.invoke("status").stdout
    place.listing("c.jsonl", [paper("Another reward model")])
    place.invoke("run", "--now", "2026-11-20T13:00+00:00")
    place.invoke("run", "--now", "2026-11-20T13:30+00:00")
    begun, over = mails.parsed("ops@example.org")
    assert str(begun["Subject"]).startswith("[Digest] broken: no entries from ")
    assert str(over["Subject"]).startswith("[Digest] over: no entries from ")
    assert "gave no entries" not in place.invoke("status").stdout


def test_status_says_that_the_relay_could_not_be_used(place: Workplace) -> None:
    """In the line about the last run, with the relay's own words."""
    place.port = 1
    place.configure(subscriber())
    place.invoke("run", *NOW)
    last = place.invoke("status").stdout.splitlines()[-1]
    assert re.match(r"last run: 2026-11-20 12:00 UTC, .*the relay could not be used: 127\.0\.0\.1:1 cannot", last)


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"keywords": ["zebra"]}, "no new entry matched"),
        ({"paused_until": "2026-12-01"}, "paused until 2026-12-01"),
        ({"skip": ["2026-11-20/2026-11-22"]}, "skipped: a day to skip"),
        ({"min_matches": 5}, "1 of at least 5 matches; they wait for the next"),
    ],
)
def test_silence_says_the_true_reason(place: Workplace, wishes: dict[str, Any], reason: str) -> None:
    """In the report of the run, and later in the status."""
    place.configure(subscriber(**wishes))
    said = json.loads(place.invoke("run", "--json", *NOW).stdout)["reason"]
    assert said == f"{reason} (new entries: {said.split(': ')[-2].split(',')[0]}, subscribers due: 1)"
    assert f"  1 empty: {reason}" in place.invoke("status").stdout.splitlines()


def test_a_clock_that_was_wrong_is_told(place: Workplace) -> None:
    """What was planned ahead keeps everybody waiting, so the status says so."""
    place.invoke("run", "--now", "2999-01-01T12:00+00:00")
    assert "was the clock wrong?" in place.invoke("status").stdout


def test_a_lock_that_cannot_be_opened_is_named(place: Workplace) -> None:
    """With what to do; it is no fault of the output."""
    (place.folder / "digest.db.lock").mkdir()
    ended = place.invoke("run")
    assert ended.returncode == 1
    assert re.fullmatch(
        r"digest: \S+/digest\.db\.lock: cannot be opened: Is a directory; let the user .+\n", ended.stderr
    )


def test_serve_does_not_start_with_a_holiday_file_that_cannot_be_read(place: Workplace) -> None:
    """As with any other fault in what is configured."""
    place.configure(subscriber(), extra='[serve]\nport = 0\n[calendars]\nfeasts = "feasts.ics"')
    ended = place.command("serve")
    assert ended.returncode == 2
    assert "feasts.ics" in ended.stderr
