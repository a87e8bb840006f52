"""How the mail looks: contrast in both schemes, and no sideways scrolling on a telephone."""

from __future__ import annotations

import quopri
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from editions import LINKS, SITE, sample
from wcag import contrast

from digest.rendering.edition import Renderer
from digest.rendering.templates import packaged

TEMPLATE = (packaged() / "digest.mjml").read_text(encoding="utf-8")
DARK = TEMPLATE[TEMPLATE.index("prefers-color-scheme: dark") :]


def dark(selector: str, rule: str) -> str:
    found = re.search(rf"{re.escape(selector)} {{[^}}]*?{rule}: (#\w{{6}})", DARK)
    assert found, selector
    return found[1]


def light(name: str, rule: str) -> set[str]:
    """The colours of a class in the light scheme, from the inline styles."""
    elements = re.findall(rf'<[^>]*class="[^"]*\b{name}\b[^"]*"[^>]*>', TEMPLATE)
    return {colour for element in elements for colour in re.findall(rf"[\"; ]{rule}[:=]\"?(#\w{{6}})", element)}


def test_contrast_is_enough_in_both_schemes() -> None:
    """Every text on every ground it stands on has a contrast of 4.5 or more (WCAG 2.2 AA)."""
    page, panel, tint = "#f4f5f7", "#ffffff", "#fbf1cf"
    assert {page, panel} == set(re.findall(r"<mj-[^>]*background-color=\"(#\w{6})\"", TEMPLATE))
    assert light("tint", "background-color") == {tint}
    for name in ("ink", "quiet", "link"):
        assert len(light(name, "color")) == 1, name
        for ground in (page, panel, *([] if name == "quiet" else [tint])):
            assert contrast(light(name, "color").pop(), ground) >= 4.5, (name, ground)
    assert contrast(light("label", "color").pop(), tint) >= 4.5
    grounds = [dark("body, .page", "background-color"), dark(".panel, .panel > table", "background-color")]
    dark_tint = dark(".tint", "background-color")
    for name in ("ink", "quiet", "link"):
        for ground in (*grounds, *([] if name == "quiet" else [dark_tint])):
            assert contrast(dark(f".{name}", "color"), ground) >= 4.5, (name, ground)
    assert contrast(dark(".label", "color"), dark_tint) >= 4.5


def test_every_colour_has_a_dark_counterpart() -> None:
    """No inline colour stays as it is in the dark: each element with one has a class that changes it."""
    for element in re.findall(r"<(?!mj-)[^>]*style=\"[^\"]*#\w{6}[^>]*>", TEMPLATE):
        assert re.search(r'class="[^"]*\b(ink|quiet|link|tint|line)\b', element), element


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 375, 800])
def test_nothing_scrolls_sideways(width: int) -> None:
    """Long titles, words, addresses and ranges of dates wrap at every width."""
    screenshots = pytest.importorskip("screenshots", reason="needs playwright")
    if not Path(screenshots.CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    edition, entries = sample()
    entries[1] = replace(entries[1], title="Pneumono" * 30, authors=("Verylongname" * 12,) * 3, source="x" * 200)
    entries[2] = replace(
        entries[2], abstract="See https://example.org/" + "path/" * 60, url="https://x.org/" + "y" * 400
    )
    edition = replace(
        edition, since=date(2025, 9, 28), email="someone" * 9 + "@example.org", profiles=("Profile" * 30, "B")
    )
    for links in (LINKS, None):
        page_html = quopri.decodestring(Renderer(None, SITE).render(edition, entries, links).html).decode()
        with screenshots.chromium() as browser:
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.set_content(page_html)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
