"""What goes wrong in a run: one fails and the others go on, what was not sent is kept, and somebody hears of it."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from functools import partial

import pytest
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest import look, press
from digest.delivery.sender import Terms
from digest.errors import BusyError, TemplateError
from digest.model import Outcome, Profile, State, Subscriber
from digest.rendering.templates import packaged
from digest.store import ledger, runs, subscribers

CHIDI = "chidi@example.org"
THREE = (subscriber(ADA), subscriber(BAO), subscriber(CHIDI))


@pytest.fixture(autouse=True)
def _listing(place: Workplace) -> None:
    place.listing("a.jsonl", [paper("A reward model")])


def test_a_refused_recipient_does_not_stop_the_others(place: Workplace, mails: Mails) -> None:
    """It fails for good, and the report names it with the server's words."""
    place.configure(*THREE)
    mails.refused = {BAO}
    report = place.run()
    assert (report.counts()["sent"], report.counts()["failed"], report.failed) == (2, 1, True)
    assert [(p.email, p.state) for p in report.delivered.problems] == [(BAO, State.FAILED)]
    mails.refused = set()
    assert place.run(NOON + 60).counts()["sent"] == 0
    assert place.run(NOON + DAY).counts()["failed"] == 0


def test_a_relay_out_of_reach_loses_nothing(place: Workplace, mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every edition is kept, the report says so, and the next run sends them, once."""
    place.configure(*THREE)
    port = place.port
    with socket.create_server(("127.0.0.1", 0)) as closed:
        place.port = closed.getsockname()[1]
    place.configure(*THREE)
    monkeypatch.setattr("digest.app.Terms", partial(Terms, pauses=(0.0, 0.0)))
    report = place.run()
    assert report.failed
    assert report.delivered.relay_error
    assert (report.counts()["planned"], report.counts()["sent"], report.reason) == (3, 0, "")
    assert place.states() == {State.PLANNED: 3}
    place.port = port
    place.configure(*THREE)
    assert place.run().counts()["sent"] == 3
    assert sorted(recipient for recipient, _ in mails.kept) == [ADA, BAO, CHIDI]


def test_a_keyword_that_cannot_be_read_harms_only_its_subscriber(place: Workplace, mails: Mails) -> None:
    """Put into the database by whatever way: that edition fails with the reason, until it is mended."""
    place.configure()
    with place.opened() as app, app.store.write() as connection:
        bad = replace(_person(ADA), profiles=(Profile("Digest", ("reward model", '"never closed')),))
        named = [subscribers.Named(one.email, one) for one in (bad, _person(BAO))]
        subscribers.put(connection, named, NOON, 7, configured=False)
    report = place.run()
    assert (report.counts()["sent"], report.counts()["failed"], report.failed) == (1, 1, True)
    ((email, reason),) = report.planned.failed
    assert email == ADA
    assert "The quote is never closed" in reason
    assert place.run(NOON + 60).reason == "nobody is due; the next is due at 2026-11-21 00:00 UTC"  # it was told once
    with place.opened() as app, app.store.write() as connection:
        subscribers.put(connection, [subscribers.Named(ADA, _person(ADA))], NOON, 7, configured=False)
    assert place.run(NOON + 120).counts()["sent"] == 1
    assert [recipient for recipient, _ in mails.kept] == [BAO, ADA]


def _person(email: str) -> Subscriber:
    return Subscriber(email, (Profile("Digest", ("reward model",)),))


def test_a_file_that_is_no_listing_is_told_once(place: Workplace, mails: Mails) -> None:
    """The others are loaded, the run goes on, and the next one is silent about it."""
    (place.listings / "b.bin").write_bytes(bytes(range(256)) * 40)
    report = place.run()
    assert report.failed
    assert report.counts()["sent"] == 1
    (bad,) = [file for file in report.loaded.files if file.fault]
    assert bad.path.name == "b.bin"
    again = place.run(NOON + DAY)
    assert not again.failed
    assert again.loaded.files == ()


def test_a_bad_record_is_told_and_the_rest_is_loaded(place: Workplace) -> None:
    """With its line."""
    (place.listings / "b.jsonl").write_text(
        '{"title": "A second reward model"}\n{"title": 5}\n{"title": "A third one"}\n'
    )
    report = place.run()
    assert report.failed
    assert report.counts()["loaded"] == 3
    (bad,) = [file for file in report.loaded.files if file.rejected]
    assert [record.line for record in bad.rejected] == [2]


def test_a_fault_in_a_template_stops_everything_first(place: Workplace, mails: Mails) -> None:
    """Nothing is loaded, planned or sent, and the message names file and line."""
    (place.folder / "own").mkdir()
    (place.folder / "own" / "digest.txt").write_text("{% block x %}{% endblock %}\nHello {{ nobody }}\n")
    place.configure(*THREE, extra='[editions]\ntemplates = "own"')
    with pytest.raises(TemplateError, match=r"own/digest\.txt"):
        place.run()
    assert not mails.kept
    place.configure()
    assert all(not rows for rows in place.dump().values())


def test_an_undefined_name_in_a_template_names_its_line(place: Workplace, mails: Mails) -> None:
    """Although all else in it is right."""
    own = place.folder / "own"
    own.mkdir()
    text = (packaged() / "digest.txt").read_text()
    line = text.count("\n") + 1
    (own / "digest.txt").write_text(text + "{{ nobody }}\n")
    place.configure(*THREE, extra='[editions]\ntemplates = "own"')
    ended = place.invoke("run")
    assert ended.returncode == 2
    assert re.search(rf"own/digest\.txt:{line}:\d+: .*nobody", ended.stderr)
    assert not mails.kept


def test_two_runs_at_once_send_one_mail_each(place: Workplace, mails: Mails) -> None:
    """The second waits, and finds nothing left to do."""
    place.configure(*THREE)
    several = [place.start("run", "--json") for _ in range(3)]
    ended = [process.communicate(timeout=60) for process in several]
    assert [errors for _, errors in ended] == [""] * 3
    assert sorted(int(re.findall(r'"sent": (\d)', output)[0]) for output, _ in ended) == [0, 0, 3]
    assert sorted(recipient for recipient, _ in mails.kept) == [ADA, BAO, CHIDI]


def test_a_run_does_not_wait_for_ever_for_another(place: Workplace) -> None:
    """After store.wait_seconds it leaves, having done nothing."""
    place.config.write_text(place.config.read_text().replace("wait_seconds = 5", "wait_seconds = 0"))
    with place.opened() as app, app.lock(), pytest.raises(BusyError):
        place.run()
    assert place.states() == {}


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_an_edition_that_a_killed_run_left_is_resent_or_held(place: Workplace, mails: Mails, policy: str) -> None:
    """As configured: sent again, or kept and told of."""
    extra = f'[delivery]\non_unknown = "{policy}"'
    place.configure(*THREE, extra=extra)
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        with app.store.write() as connection:
            ledger.take(connection, [2], NOON, runs.begin(connection, NOON))
    report = place.run()
    if policy == "resend":
        assert (report.counts()["sent"], report.counts()["unknown"], report.failed) == (3, 0, False)
    else:
        assert (report.counts()["sent"], report.counts()["unknown"], report.failed) == (2, 1, True)
        assert place.states() == {State.SENT: 2, State.UNKNOWN: 1}
        assert place.run(NOON + 60).counts()["unknown"] == 0


def test_a_deferred_edition_waits_and_the_reason_says_so(place: Workplace, mails: Mails) -> None:
    """For delivery.retry_minutes; then it goes, with the same bytes as it would have had."""
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        with app.store.write() as connection:
            number = runs.begin(connection, NOON)
            ledger.take(connection, [1], NOON, number)
            ledger.record(connection, [Outcome(1, State.DEFERRED, 451, "4.2.0 later", NOON + 300)], NOON, number)
    report = place.run(NOON + 299)
    assert (report.counts()["sent"], report.failed) == (0, False)
    assert report.reason == "the relay deferred what is left (editions: 1); it is tried again later"
    assert place.run(NOON + 300).counts()["sent"] == 1


def test_a_retry_has_the_same_bytes_whatever_was_loaded_since(place: Workplace, mails: Mails) -> None:
    """A new run, a later day, a listing that knows more of the entry: the mail of an edition stays the same."""
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        (edition,) = look.waiting(app.store, app.clock())
        first = app.press.message(edition, press.listed(app.store, edition))
    place.listing("b.jsonl", [paper("A reward model", "Now with an abstract", url="https://example.org/1")])
    assert place.run(NOON + 600).counts()["sent"] == 1
    assert mails.to(ADA) == [first]


def test_a_login_that_fails_leaves_all_editions_as_they_were(place: Workplace) -> None:
    """No recipient is to blame."""
    place.configure(*THREE, smtp='username = "ada"\npassword = "canary-7c1f"')
    report = place.run()
    assert report.failed
    assert "canary" not in report.delivered.relay_error
    assert place.states() == {State.PLANNED: 3}
