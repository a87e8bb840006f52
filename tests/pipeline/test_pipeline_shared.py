"""The two real listing files, all the way to an inbox."""

from __future__ import annotations

import email
import json
import re
from email import policy
from pathlib import Path

import pytest
from sink import SINK, sink
from workplace import ADA, BAO, Mails, Workplace, body_of, subscriber

LISTINGS = Path(__file__).resolve().parents[2].parent / "shared" / "listings"
pytestmark = pytest.mark.skipif(
    not LISTINGS.is_dir(), reason="the folder shared/listings beside the checkout is missing"
)
THREE = (
    subscriber(ADA, ["reward model", "quantiz*", "-survey"]),
    subscriber(BAO, ["agent", "RAG", "video generation^2", "(reasoning OR planning) AND NOT image"], max_entries=50),
    subscriber("chidi@example.org", ["zebrafish"]),
)


@pytest.fixture(autouse=True)
def _listings(place: Workplace) -> None:
    place.configure(*THREE)
    place.config.write_text(place.config.read_text().replace('paths = ["listings"]', f'paths = ["{LISTINGS}"]'))


def test_both_files_hold_what_they_are_known_to_hold(place: Workplace) -> None:
    """82 and 217 entries, 293 of them distinct; a second load finds nothing new."""
    ended = place.invoke("load", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    assert {Path(file["path"]).name: file["entries"] for file in told["files"]} == {
        "trending-compact.txt": 217,
        "trending-spaced.txt": 82,
    }
    assert told["new_entries"] == sum(file["new"] for file in told["files"]) == 293
    assert [(file["rejected"], file["warnings"]) for file in told["files"]] == [(0, [])] * 2
    assert json.loads(place.invoke("load", "--json").stdout) == {"files": [], "new_entries": 0}


def test_the_mails_parse_without_a_defect(place: Workplace, mails: Mails) -> None:
    """Read strictly, headers and both parts; everybody with a match has one, and a second run sends none."""
    counts = place.run().counts()
    assert (counts["sent"], counts["empty"], counts["loaded"]) == (2, 1, 293)
    for person in (ADA, BAO):
        (mail,) = mails.parsed(person)
        assert all(not part.defects for part in mail.walk())
        assert mail["To"].addresses[0].addr_spec == person
        text, html = body_of(mail, "plain"), body_of(mail, "html")
        assert len(html.encode()) <= 100_000
        assert re.search(r"\d+ of 293 new papers match", text)
    again = place.run()
    assert (again.counts()["sent"], len(mails.kept)) == (0, 2)
    assert again.reason.startswith("there is nothing new since the last run, which had nothing to send")


@pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")
def test_postfix_takes_the_same_mails(place: Workplace, mails: Mails, tmp_path: Path) -> None:
    """Its sink captures, beside its own three lines, the very bytes that aiosmtpd is sent, and the second run none."""
    place.run()
    with sink("-D", str(tmp_path / "capture")) as port:
        text = place.config.read_text().replace(f"port = {place.port}", f"port = {port}")
        place.config.write_text(text.replace("digest.db", "other.db"))
        assert place.run().counts()["sent"] == 2
        assert place.run().counts()["sent"] == 0
    captured = (tmp_path / "capture").read_bytes()
    for _, mail in mails.kept:
        assert email.message_from_bytes(mail, policy=policy.strict)["Message-ID"].encode() in captured
        assert mail.replace(b"\r\n", b"\n").strip() in captured
    assert captured.count(b"\nMessage-ID: ") == 2
