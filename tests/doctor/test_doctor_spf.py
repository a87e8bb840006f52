"""SPF records are read as RFC 7208 writes them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.doctor.spf import Directive, SpfError, is_spf, read_spf
from digest.doctor.tags import TagError, read_tags

LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
LENGTHS = st.sampled_from(["", "/24", "//64", "/24//64"])
DIRECTIVES = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(["include", "exists", "ptr"]), DOMAINS),
    st.builds("{}:{}{}".format, st.sampled_from(["a", "mx"]), DOMAINS, LENGTHS),
    st.builds("{}{}".format, st.sampled_from(["a", "mx"]), LENGTHS),
    st.just("ptr"),
    st.ip_addresses(v=4).map("ip4:{}".format),
    st.ip_addresses(v=6).map("ip6:{}/48".format),
)

TAGS = st.dictionaries(
    st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.from_regex(r"[!-:<-~]{0,20}", fullmatch=True), min_size=1
)


def shown(text: str) -> list[str]:
    return [str(directive) for directive in read_spf(text).directives]


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("v=spf1", []),
        ("v=spf1 -all", ["-all"]),
        ("V=SPF1   MX  ~ALL ", ["mx", "~all"]),
        ("v=spf1 +a:mail.example.org/24//64 ?all", ["a:mail.example.org", "?all"]),
        ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", ["ip4:192.0.2.0/24", "ip6:2001:db8::/32", "-all"]),
        ("v=spf1 exists:%{i}._spf.%{d2} ptr -all", ["exists:%{i}._spf.%{d2}", "ptr", "-all"]),
        ("v=spf1 -all include:never.example.org", ["-all"]),
        ("v=spf1 mx unknown=modifier exp=why.example.org -all", ["mx", "-all"]),
    ],
)
def test_records_are_read(text: str, directives: list[str]) -> None:
    """Each directive up to `all`; modifiers that are not known are passed over."""
    assert shown(text) == directives


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("v=spf1 include -all", "include"),
        ("v=spf1 ipv4:192.0.2.1 -all", "ipv4"),
        ("v=spf1 ip4:192.0.2.300 -all", "192.0.2.300"),
        ("v=spf1 ip6:192.0.2.1 -all", "192.0.2.1"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "/33"),
        ("v=spf1 a/33 -all", "a/33"),
        ("v=spf1 mx//129 -all", "mx//129"),
        ("v=spf1 include:example.org/24 -all", "include:example.org/24"),
        ("v=spf1 all:example.org", "all:example.org"),
        ("v=spf1 mx, -all", "mx,"),
        ("v=spf1 -all.", "-all."),
        ("v=spf1 redirect=a.example redirect=b.example", "redirect"),
        ("v=spf1 redirect=", "redirect"),
    ],
)
def test_the_term_that_cannot_be_read_is_named(text: str, term: str) -> None:
    """A fault anywhere is an SpfError with the term in it."""
    with pytest.raises(SpfError, match=term.replace("/", ".")):
        read_spf(text)


def test_redirect_counts_only_without_all() -> None:
    """RFC 7208 6.1."""
    assert read_spf("v=spf1 mx redirect=example.org").redirect == "example.org"
    assert read_spf("v=spf1 redirect=example.org -all").redirect == ""


def test_only_spf_records_are_taken_for_one() -> None:
    """The version ends at a space or at the end of the text (RFC 7208 4.5)."""
    assert [is_spf(text) for text in ("v=spf1", "v=spf1 a", "V=spf1 a", "v=spf10 a", "spf2.0/pra a", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


@given(st.text() | st.from_regex(r"v=spf1( [-+~?]?[a-z46]{1,7}[:=]?[%{}a-z0-9./:]{0,12}){0,5}", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but an SpfError is raised, and what was read has no directive behind `all`."""
    with suppress(SpfError):
        record = read_spf(text)
        assert not any(one.mechanism == "all" for one in record.directives[:-1])


@given(st.lists(st.tuples(st.sampled_from(["", "-", "~", "?", "+"]), DIRECTIVES), max_size=8))
def test_what_is_written_is_read(terms: list[tuple[str, str]]) -> None:
    """Every well-formed directive comes back with its qualifier and mechanism."""
    read = read_spf(" ".join(["v=spf1", *(qualifier + term for qualifier, term in terms)])).directives
    assert [(one.qualifier, one.mechanism) for one in read] == [
        (qualifier or "+", term.partition(":")[0].partition("/")[0]) for qualifier, term in terms
    ]
    assert all(isinstance(one, Directive) for one in read)


@given(TAGS)
def test_tags_that_are_written_are_read(tags: dict[str, str]) -> None:
    """Whatever white space and final semicolon stand round them (RFC 6376 3.2)."""
    written = [f"{name}={value}" for name, value in tags.items()]
    assert read_tags("; ".join(written)) == read_tags(" ;\n ".join(written) + " ; ") == tags


@given(st.text())
def test_any_text_is_tags_or_refused(text: str) -> None:
    """Nothing but a TagError is raised."""
    with suppress(TagError):
        read_tags(text)


@pytest.mark.parametrize("record", ["v=DKIM1; p=a; p=b", "DKIM1", "v=DKIM1;; p=a", "=x"])
def test_what_is_no_list_of_tags_is_refused(record: str) -> None:
    """A tag twice, one without a value's sign, or none between semicolons."""
    with pytest.raises(TagError):
        read_tags(record)
