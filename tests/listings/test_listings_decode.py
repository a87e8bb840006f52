"""Bytes to text: which charset is believed, and what is mended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings.wording.decode import decode, tidy


def misread(text: str) -> str:
    """What becomes of a text in UTF-8 that is read as Windows-1252, its undefined bytes as in Latin-1."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_known_by_its_mark_or_its_nuls(encoding: str) -> None:
    """A byte order mark decides, whatever is declared; UTF-16 needs none where most signs are plain ones."""
    assert decode("A plain text, é\r\nß\r小".encode(encoding), "koi8-r") == ("A plain text, é\nß\n小", ())


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("koi8-r", "Привет"),
        ("ISO-8859-2", "Łódź"),
        ("iso-8859-1", "Étude"),
        ("gb2312", "你好"),
        ("shift_jis", "音声"),
        ("utf-16-be", "小大"),
        ("utf-7", "Étude +"),
    ],
)
def test_a_declared_charset_is_believed(charset: str, text: str) -> None:
    """What is declared and fits is used without a word."""
    assert decode(text.encode(charset), charset) == (text, ())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-2"?><a>Łódź</a>'.encode("iso-8859-2"), "Łódź"),
        ("<?xml version='1.0' encoding = 'windows-1251' standalone='yes'?><a>Привет</a>".encode("cp1251"), "Привет"),
        ("% Encoding: ISO8859_7\n@misc{a, title={Λόγος}}".encode("iso-8859-7"), "Λόγος"),
    ],
)
def test_a_file_may_say_its_charset_itself(content: bytes, text: str) -> None:
    """The XML declaration and the first line of a BibTeX file are declarations, too."""
    decoded, warnings = decode(content)
    assert (text in decoded, warnings) == (True, ())


def test_what_is_declared_in_ascii_is_not_utf16() -> None:
    """A file that was converted, but for its declaration, is read as what it is."""
    content = '<?xml version="1.0" encoding="UTF-16"?><a>Étude</a>'.encode()
    assert decode(content) == (content.decode(), ())


@pytest.mark.parametrize(
    ("charset", "warning"),
    [
        ("us-ascii", "not us-ascii, though it says so (byte 2)"),
        ("iso-8859-1", "not iso-8859-1, though it says so, but UTF-8"),
        ("x-unknown", "unknown charset “x-unknown”"),
        ("rot13", "unknown charset “rot13”"),
        ("unicode_escape", "unknown charset “unicode_escape”"),
        ("../x\0y", "unknown charset “../xy”"),
    ],
)
def test_a_charset_that_cannot_be_true_is_a_warning(charset: str, warning: str) -> None:
    """An unknown or wrong charset is told of, and UTF-8 is tried."""
    assert decode("réseau".encode(), charset) == ("réseau", (warning,))


def test_lines_that_are_not_utf8_are_windows_1252() -> None:
    """A file of two charsets is read line by line, and the listing says so."""
    text, [warning] = decode("naïve —\n".encode() + "Na“ive é\n".encode("cp1252") + b"\x81\n")
    assert text == "naïve —\nNa“ive é\n\x81\n"
    assert "not UTF-8 (byte 14)" in warning


@pytest.mark.parametrize(
    "text", ["café", "don’t – “x”", "naïve Ω 小", "5 µm ± 2, x ≤ y", "Ünal Özgür", "đối", "© 2020"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_text_that_was_read_in_a_wrong_charset_is_repaired(text: str, times: int) -> None:
    """UTF-8 that was once or twice read as Windows-1252 is mended line by line, with a warning that says where."""
    wrong = misread(text) if times == 1 else misread(misread(text))
    assert decode(f"plain\n{wrong} words\n小\n".encode()) == (
        f"plain\n{text} words\n小\n",
        ("repaired text that was once read in a wrong charset (first in line 2)",),
    )


@pytest.mark.parametrize(
    "text",
    [
        "SÃO PAULO E ÁGUA",
        "AMANHÃ”, disse",
        "Il écrit “Ã©” pour é",
        "We repair mojibake such as 'Ã©' and \"â€™\" in pages",
        "the sign Ã is Portuguese",
        "Ñandú, âge, à la carte, Ångström – “ça”",
        "ÂGE D’OR",
        "x ∈ ℝ, α ≤ β, 我们",
    ],
)
def test_what_only_looks_misread_stays(text: str) -> None:
    """Words with the signs of misreadings, and texts about them, are not touched."""
    assert decode(text.encode()) == (text, ())


def test_a_long_line_is_repaired_too() -> None:
    """A file on one line is mended as well, and what is right in it stays."""
    right = "words of a naïve text “quoted” " * 3000
    text, warnings = decode(f"{right}cafÃ© {right}".encode())
    assert text == f"{right}café {right}"
    assert len(warnings) == 1


def test_quotation_marks_among_the_controls_are_read() -> None:
    """Windows-1252 that went through Latin-1 has its quotation marks back."""
    assert decode("it\x92s".encode())[0] == "it’s"


def test_clean_text_never_meets_the_repairer(monkeypatch: pytest.MonkeyPatch) -> None:
    """For text without telltales ftfy is not even loaded."""
    monkeypatch.setitem(__import__("sys").modules, "ftfy", None)
    text = "Größe, naïve, “quoted” – 我们, Привет, λόγος ≤ 5 µm\n" * 100
    assert decode(text.encode()) == (text, ())
    with pytest.raises(ImportError):
        decode("cafÃ©".encode())


def test_a_few_nuls_are_dropped_and_many_refused() -> None:
    """A stray NUL is dropped with a warning; a binary file is refused."""
    assert decode(b"a" * 200 + b"\0b") == ("a" * 200 + "b", ("dropped NUL characters (1)",))
    with pytest.raises(ListingError, match="binary"):
        decode(b"\x89PNG\0\0\0\rIHDR\0\0\xff")


@given(st.binary(max_size=300), st.one_of(st.text(max_size=12), st.sampled_from(["utf-16", "iso-8859-1", "idna"])))
def test_any_bytes_are_text_or_refused(content: bytes, charset: str) -> None:
    """Whatever the bytes and whatever is declared, a text without NUL or CR comes out, or a clear refusal."""
    try:
        text, _ = decode(content, charset)
    except ListingError:
        return
    assert not {"\0", "\r"} & set(text)
    text.encode()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=80))
def test_utf8_comes_out_as_it_went_in(text: str) -> None:
    """Text in UTF-8 with a mark is changed by nothing but the repair of what was misread."""
    decoded, warnings = decode(b"\xef\xbb\xbf" + text.encode())
    assert decoded == text or any("repaired" in warning or "replaced" in warning for warning in warnings)


@given(st.text())
def test_tidy_is_one_clean_line(text: str) -> None:
    """Tidied text is one line that can be stored, and tidying it again changes nothing."""
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    assert "\n" not in tidied
    tidied.encode()
