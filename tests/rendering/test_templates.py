"""Templates: own ones beside packaged ones, and faults with their place."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import editions
import pytest

from digest.errors import TemplateError
from digest.model import Edition, Entry, Match
from digest.rendering.edition import Renderer, Site
from digest.rendering.templates import packaged, wrap

SITE = Site("digest@example.org")
MJML = (packaged() / "digest.mjml").read_text(encoding="utf-8")
TEXT = (packaged() / "digest.txt").read_text(encoding="utf-8")


def fault(folder: Path, name: str, template: str) -> str:
    (folder / name).write_text(template, encoding="utf-8")
    with pytest.raises(TemplateError) as error:
        Renderer(folder, SITE)
    return str(error.value).removeprefix(f"{folder}/")


def place_of(template: str, needle: str) -> str:
    before = template[: template.index(needle)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}:"


FAULTS = [
    ("{{ entry.heading }}", "{{ entry.heding }}"),
    ("{{ edition.summary }}", "{{ edition.sumary }}"),
    ("{{ edition.summary }}", "{{ nosuch }}"),
    ("{{ edition.summary }}", "{{ 1 / 0 }}"),
    ("{{ edition.summary }}", "{{ edition.date | nosuch }}"),
    ("{{ edition.summary }}", "{{ edition. }}"),
    ("{{ edition.summary }}", "{{ edition.summary }"),
    ("{{ edition.summary }}", "{% if links  %}"),
    ("{% if edition.others %}", "{% if edition.others < 9 and nosuch %}"),
    ("{{ links.pause }}", "{{ links.paus }}"),
    ("{{ entry.title }}", "{{ entry.titel }}"),
    ("{{ card.title }}", "{{ card.titel }}"),
    ("{{ card.less }}", "{{ card.les }}"),
]
TEMPLATES = {"digest.mjml": MJML, "digest.txt": TEXT}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [(name, good, bad) for name, template in TEMPLATES.items() for good, bad in FAULTS if good in template],
)
def test_a_jinja_fault_names_file_line_and_column(tmp_path: Path, name: str, good: str, bad: str) -> None:
    """A wrong name, filter or tag stops before the first edition, and its place is that in the author's file."""
    template = TEMPLATES[name].replace(good, bad, 1)
    assert fault(tmp_path, name, template).startswith(f"{name}:{place_of(template, bad)}")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<mj-wrapper padding", "<mj-wraper padding"),
        ("</mj-column>", ""),
        ("</mj-attributes>", "</mj-atributes>"),
    ],
)
def test_an_mjml_fault_names_file_line_and_column(tmp_path: Path, good: str, bad: str) -> None:
    """MJML itself gives no place; the message does."""
    message = fault(tmp_path, "digest.mjml", MJML.replace(good, bad, 1))
    _, line, column, reason = message.split(":", 3)
    assert int(line) > 1
    assert int(column) >= 1
    assert "<" in reason


def test_a_tag_that_mjml_drops_is_found(tmp_path: Path) -> None:
    """MJML drops an attribute that it does not know; a Jinja tag in it would vanish without a word."""
    template = MJML.replace("<mj-column>", '<mj-column width="{{ site.name }}">', 1)
    message = fault(tmp_path, "digest.mjml", template)
    assert message.startswith(f"digest.mjml:{place_of(template, '{{ site.name }}' + chr(34) + '>')}")


@pytest.mark.parametrize(
    ("name", "good", "bad", "named"),
    [
        ("digest.mjml", "{% block card scoped %}", "{% block kard scoped %}", "`card`"),
        ("digest.txt", "{% block more_row scoped %}", "{% block row scoped %}", "`more_row`"),
        ("digest.mjml", "{{ edition.summary }}", "{{ edition.summary | upper }}", "filter"),
        ("digest.mjml", "{% for entry in more %}", "{% for entry in [] %}", "rows"),
        ("digest.txt", "{{ card.more }}", "{{ card.more | upper }}", "filter"),
    ],
)
def test_a_broken_contract_is_named(tmp_path: Path, name: str, good: str, bad: str, named: str) -> None:
    """A missing block, a slot changed by a filter and a list that is never shown are faults too."""
    template = TEMPLATES[name].replace(good, bad, 1)
    assert named in fault(tmp_path, name, template)


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    """A template in the operator's folder is used, and the missing one comes with the package."""
    (tmp_path / "digest.txt").write_text(TEXT.replace("{{ edition.summary }}", "Good day"), encoding="utf-8")
    entry = Entry(("a",), "A title", number=1)
    day = date(2026, 1, 2)
    edition = Edition(1, 1, "a@example.org", "", day, day, "UTC", 0, 0, (Match(1, 1.0),), (), 1, 1)
    rendered = Renderer(tmp_path, SITE).render(edition, {1: entry})
    assert b"Good day" in rendered.text
    assert b"1 of 1 new paper matches" in rendered.html


def test_a_template_of_ones_own_without_links_to_feedback(tmp_path: Path) -> None:
    """One that was made before there were any works as it did."""
    for name, template in TEMPLATES.items():
        own = re.sub(r"(?s) *\{% if card.more %\}.*?\{% endif %\}\n", "", template)
        assert "card.less" not in own
        (tmp_path / name).write_text(own, encoding="utf-8")
    rendered = Renderer(tmp_path, editions.SITE).render(*editions.sample(), editions.LINKS)
    assert b"View in browser" in rendered.html
    assert b"feedback" not in rendered.html + rendered.text


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path in the configuration is no reason to use the packaged templates in silence."""
    with pytest.raises(TemplateError, match="no such folder"):
        Renderer(tmp_path / "nowhere", SITE)


def test_wrap() -> None:
    """Lines are filled with whole words; a word longer than a line stays whole."""
    assert wrap("aa bb cc", 5) == "aa bb\ncc"
    assert wrap("aa bbbbbbb cc", 5, 2) == "aa\n  bbbbbbb\n  cc"
    assert wrap("", 5) == ""
