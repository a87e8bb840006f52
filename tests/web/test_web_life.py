"""The life of a subscriber in a real browser, on the demo with its pages, pipeline and inbox."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from life import Life, demo
from screenshots import CHROMIUM, chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="install the Debian package chromium"),
]
AXE_RULES = {"frame-tested": "a frame holds a mail, which is judged in tests/rendering"}
"""What axe objects to and is meant, with the reason."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("width", "scheme", "script"),
    [(375, "light", True), (375, "dark", False), (1280, "dark", True), (1280, "light", False)],
)
def test_a_subscriber_lives_from_the_first_page_to_the_last_mail(
    tmp_path: Path, judges: Path, width: int, scheme: Any, script: bool
) -> None:
    """With and without JavaScript, on a telephone and a desk; no page has a barrier for axe, or scrolls sideways."""
    axe = (judges / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    seen: dict[str, dict[str, str]] = {}
    with demo(tmp_path / "demo", free_port()) as running, chromium() as browser:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)

        def look(name: str) -> None:
            seen[name] = barriers(page, axe) if script else {}
            if script:
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name

        Life(running, page, script, look).whole()
        assert [said for said in complaints if "422" not in said] == []
    assert len(seen) == 13
    assert {name: found for name, found in seen.items() if found.keys() - AXE_RULES.keys()} == {}


def test_every_page_fits_320_pixels_and_the_operator_pages_are_without_barriers(tmp_path: Path, judges: Path) -> None:
    """The pages that no subscriber meets, and errors, too; the narrowest screen and the widest."""
    axe = (judges / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    with demo(tmp_path / "demo", free_port()) as running, chromium() as browser:
        for width, scheme in ((320, "dark"), (1280, "light")):
            page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]  # a literal
            page.goto(f"{running.site}/operator")
            page.get_by_label("Token").fill(running.token)
            page.get_by_role("button").last.click()
            paths = ["", "/subscribers", "/subscribers/1", "/sources", "/editions", "/runs", "/letters"]
            for path in [*(f"/operator{path}" for path in paths), "/", "/sign-in", "/nothing-here", "/check-your-mail"]:
                page.goto(running.site + path)
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (width, path)
                found[f"{path} {width}"] = barriers(page, axe)
            page.close()
    assert {name: rules for name, rules in found.items() if rules.keys() - AXE_RULES.keys()} == {}


def test_the_whole_form_can_be_used_by_keyboard_alone(tmp_path: Path) -> None:
    """From the skip link through every field to the button, each with a ring that shows where one is."""
    with demo(tmp_path / "demo", free_port()) as running, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{running.site}/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        reached: list[str] = []
        for _ in range(30):
            page.keyboard.press("Tab")
            name, ring = page.evaluate(
                "[document.activeElement.name || document.activeElement.textContent.trim(), "
                "getComputedStyle(document.activeElement).outlineStyle]"
            )
            reached.append(name)
            assert ring != "none" or name == "", name
            if name == "keywords-0":
                page.keyboard.type("reward model")
            if name == "email":
                page.keyboard.type("keys@example.org")
            if name == "Subscribe":
                page.keyboard.press("Enter")
                break
        assert {"keywords-0", "zone", "days", "send_at", "email", "Subscribe"} <= set(reached)
        page.wait_for_url("**/check-your-mail")


def barriers(page: Any, axe: str) -> dict[str, str]:
    """The rules of axe that a page breaks, or may break, with the first place; frames are other documents."""
    page.evaluate(axe)
    verdict = page.evaluate("axe.run(document, {iframes: false})")
    broken = verdict["violations"] + [rule for rule in verdict["incomplete"] if not _out_of_view(page, rule)]
    return {rule["id"]: rule["nodes"][0]["html"] for rule in broken}


def _out_of_view(page: Any, rule: Any) -> bool:
    """Whether it is only that axe cannot tell the ground of cells that a wide table has scrolled away."""
    scrolled = "places => places.every(place => document.querySelector(place).closest('.scroll'))"
    places = [node["target"][0] for node in rule["nodes"]]
    return rule["id"] == "color-contrast" and bool(page.evaluate(scrolled, places))
