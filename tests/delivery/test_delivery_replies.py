"""Replies are read out of pieces of any size; what is no reply is told; memory is bounded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.replies import LINE, LINES, Reply, ReplyError, ReplyParser, enhanced, words


def parsed(data: bytes, cuts: list[int] | None = None) -> tuple[list[Reply], str]:
    """The replies in `data`, given in pieces cut there, and the fault that ended it."""
    parser = ReplyParser()
    replies: list[Reply] = []
    places = sorted({0, len(data), *(cuts or [])})
    try:
        for start, end in pairwise(places):
            for reply in parser.feed(data[start:end]):
                replies.append(reply)  # noqa: PERF402 - one by one, so that those before a fault are kept
    except ReplyError as error:
        return replies, str(error)
    return replies, ""


def test_one_line_and_several() -> None:
    """A reply of several lines is one, with all its words."""
    data = b"250 2.0.0 ok\r\n250-5.1.1 who\r\n250-\r\n250 5.1.1 is that?\r\n354\r\n"
    expected = [Reply(250, "2.0.0 ok"), Reply(250, "5.1.1 who\n\n5.1.1 is that?"), Reply(354, "")]
    assert parsed(data) == (expected, "")


def test_a_bare_line_feed_ends_a_line() -> None:
    """As some servers do."""
    assert parsed(b"250-a\n250 b\n") == ([Reply(250, "a\nb")], "")


@pytest.mark.parametrize("code", [b"000", b"999"])
def test_any_three_digits_are_a_code(code: bytes) -> None:
    """Whether it is an answer is for others to say."""
    assert parsed(code + b" x\r\n")[0] == [Reply(int(code), "x")]


@pytest.mark.parametrize(
    "line", [b"", b"25", b"2500", b"250_x", b" 250 x", b"abc", b"\xb2\xb2\xb2 x", b"250x", "٢٥٠ x".encode(), b"250\x00"]
)
def test_what_is_no_reply_is_a_fault(line: bytes) -> None:
    """The replies before it count, and the fault shows how the line begins."""
    replies, fault = parsed(b"250 fine\r\n" + line + b"\r\n250 not read\r\n")
    assert replies == [Reply(250, "fine")]
    assert fault.startswith("a malformed reply: ")


def test_the_code_of_a_reply_does_not_change() -> None:
    """RFC 5321 4.2.1: the same on every line."""
    assert parsed(b"250-a\r\n550 b\r\n") == ([], "the code of a reply changes from 250 to 550")
    assert parsed(b"250-a\r\n550-b\r\n")[1]


def test_memory_is_bounded() -> None:
    """A line without an end, and a reply without one, are faults."""
    assert parsed(b"250 " + b"x" * (LINE - 5) + b"\r\n")[1] == ""
    assert "octets" in parsed(b"2" * (LINE + 1))[1]
    assert parsed(b"250 " + b"x" * LINE + b"\r\n")[1]
    assert parsed(b"250-x\r\n" * (LINES - 1) + b"250 x\r\n")[1] == ""
    assert "lines" in parsed(b"250-x\r\n" * LINES + b"250 x\r\n")[1]


LINES_OF_REPLIES = st.lists(
    st.sampled_from(
        [
            b"250 ok\r\n",
            b"250-a\r\n250-b\r\n250 c\r\n",
            b"354\r\n",
            b"550 5.1.1 \xe9\r\n",
            b"421 x\n",
            b"25 x\r\n",
            b"250-a\r\n550 b\r\n",
        ]
    ),
    max_size=6,
)


@given(LINES_OF_REPLIES.map(b"".join), st.lists(st.integers(0, 100), max_size=8))
def test_where_the_bytes_are_cut_does_not_matter(data: bytes, cuts: list[int]) -> None:
    """The same replies and the same fault as in one piece."""
    assert parsed(data, [cut for cut in cuts if cut < len(data)]) == parsed(data)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_any_bytes_give_replies_or_a_fault(data: bytes, cuts: list[int]) -> None:
    """Nothing else is raised, and every word can be stored."""
    replies, _ = parsed(data, [cut for cut in cuts if cut < len(data)])
    for reply in replies:
        assert 0 <= reply.code <= 999
        assert words(reply.text).encode().decode() == words(reply.text)
        assert len(words(reply.text)) <= 500


@pytest.mark.parametrize(
    ("text", "code"),
    [("5.1.1 no", "5.1.1"), ("5.7.515 x", "5.7.515"), ("2.0.0", "2.0.0"), ("5.1.1\nx", "5.1.1"),
     ("no 5.1.1", ""), ("3.1.1 x", ""), ("5.1.1.1 x", ""), ("5.1.1234", ""), ("5.1", ""), ("", "")],
)  # fmt: skip
def test_the_enhanced_code_stands_first(text: str, code: str) -> None:
    """Class, subject and detail, and nothing that only looks like it (RFC 3463)."""
    assert enhanced(text) == code
