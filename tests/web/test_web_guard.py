"""What holds for every page, whoever answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from visits import URL, Visit

EVIL = "https://evil.example"


def test_every_answer_forbids_what_is_inline_and_frames(visit: Visit) -> None:
    """Pages that are there, pages that are not, and static files carry the policy."""
    for path in ("/", "/nothing-here", "/static/style.css"):
        headers = visit.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_an_error_is_a_page_that_says_what_to_do(visit: Visit) -> None:
    """A page that is not there, and a way of asking that is not meant."""
    missing, wrong = visit.client.get("/nothing-here"), visit.client.request("DELETE", "/")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    for answer in (missing, wrong):
        assert "<h1>" in answer.text
        assert "/sign-in" in answer.text


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Origin": URL}, False),
        ({"Origin": EVIL}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": URL}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "none"}, False),
    ],
)
def test_posts_of_other_sites_are_refused(visit: Visit, headers: dict[str, str], refused: bool) -> None:
    """By what a browser says of where they come from; a program that says nothing is no browser."""
    assert (visit.client.post("/sign-in", headers=headers).status_code == 403) == refused


def test_a_body_that_is_too_large_is_refused(visit: Visit) -> None:
    """Whether its header says so or not."""

    def parts() -> Iterator[bytes]:
        yield from [b"email=" + b"x" * 100_000] * 4

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visit.client.post("/sign-in", content=b"x" * 300_000, headers=form).status_code == 413
    assert visit.client.post("/sign-in", content=parts(), headers=form).status_code == 413


def test_a_client_that_posts_without_end_is_slowed(visit: Visit) -> None:
    """With the time after which it may go on."""
    answers = [visit.client.post("/sign-in", data={"email": "nobody"}) for _ in range(70)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
