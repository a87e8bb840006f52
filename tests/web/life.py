"""The whole life of a subscriber, in Chromium, on `digest demo --web`: from the first page to the last mail.

    python tests/web/life.py --out docs/screenshots

takes the pictures of docs/web.md on the way. With JavaScript and without, on a telephone and on a desk.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path += [str(Path(__file__).resolve().parents[number] / name) for number, name in ((1, ""), (2, "benchmarks"))]
from playwright.sync_api import Page, expect
from screenshots import SCHEMES, chromium
from workplace import DIGEST, REPOSITORY

ADDRESS = "Reader+papers@lab.science"
WIDTHS = (375, 1280)


@dataclass
class Demo:
    """A demo that is running: its address, folder and the operator's token."""

    site: str
    folder: Path
    token: str

    def mails(self) -> int:
        """How many mails came in so far."""
        return len(list((self.folder / "mails").glob("*.eml")))


@contextmanager
def demo(folder: Path, port: int) -> Iterator[Demo]:
    """`digest demo --web` in a folder, once it answers."""
    command = [*DIGEST, "demo", str(folder), "--web", "--port", str(port)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if "Subscribe with any address" in line:
                break
        found = re.search(r"token: ([\w-]+)", said)
        assert found, said
        yield Demo(f"http://127.0.0.1:{port}", folder, found[1])
    finally:
        process.terminate()
        process.communicate(timeout=30)


@dataclass
class Life:
    """A reader at a browser. `look` is called with the name of each page when it is there to be looked at."""

    demo: Demo
    page: Page
    script: bool
    look: Any = field(default=lambda name: None)

    def whole(self) -> None:
        """From the first page to the last mail."""
        self.subscribe()
        self.confirm()
        self.read()
        self.give_feedback()
        self.edit()
        self.pause()
        self.leave()

    def subscribe(self) -> None:
        """Type keywords, see what they would bring, send the form with a fault first."""
        page = self.page
        page.goto(f"{self.demo.site}/")
        self.look("first-page-empty")
        page.get_by_label("Keywords, one on a line").fill("reward model\nquantiz*\n-survey\ngraph transfromer")
        if self.script:
            expect(page.locator("#preview .entry").first).to_be_visible()
        else:
            page.get_by_role("button", name="Show what I would get").click()
        expect(page.locator("#preview")).to_contain_text("never hit")
        expect(page.locator("#preview-summary")).to_contain_text("match")
        page.get_by_label("Time", exact=True).fill("00:00")
        page.get_by_label("Your mail address").fill("Reader+papers@lab")
        page.get_by_label("Your mail address").fill("reader at lab.science")
        page.get_by_role("button", name="Subscribe").click()
        expect(page.locator("[aria-invalid=true]")).to_have_count(1)
        expect(page.get_by_label("Keywords, one on a line")).to_have_value(re.compile("quantiz"))
        self.look("first-page")
        page.get_by_label("Your mail address").fill(ADDRESS)
        page.get_by_role("button", name="Subscribe").click()
        expect(page).to_have_url(f"{self.demo.site}/check-your-mail")
        self.look("check-your-mail")

    def confirm(self) -> None:
        """Open the one letter that came, look, and say yes."""
        self.open_mail("confirm")
        self.look("letter")
        self.page.goto(self.link("confirm"))
        self.look("confirm")
        self.page.get_by_role("button", name="Yes, send it to me").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("You are subscribed")
        self.look("confirmed")

    def read(self) -> None:
        """The first digest is there within seconds; look at it in the inbox, then in the archive."""
        self.open_mail("new papers?:")
        self.look("digest-in-inbox")
        self.page.goto(self.link("editions"))
        expect(self.page.locator(".entry").first).to_be_visible()
        self.look("edition")

    def give_feedback(self) -> None:
        """Less of the first one: see the change that it would make, and make it."""
        self.open_mail("new papers?:")
        self.page.goto(self.link("feedback") + "/less")
        self.page.get_by_role("radio").first.check()
        self.look("feedback")
        self.page.locator("main form button").first.click()
        expect(self.page.locator(".notice")).to_be_visible()

    def edit(self) -> None:
        """Change a keyword, see the difference, save."""
        self.open_mail("new papers?:")
        self.page.goto(self.link("preferences"))
        keywords = self.page.get_by_label("Keywords, one on a line").first
        keywords.fill("calibrat*\nquantiz*")
        if not self.script:
            self.page.get_by_role("button", name="Show what I would get").click()
        expect(self.page.locator("#preview-summary")).to_contain_text("−")
        self.look("preferences")
        self.page.get_by_role("button", name="Save").last.click()
        expect(self.page.locator(".notice")).to_contain_text("Saved")
        expect(self.page.get_by_label("Keywords, one on a line").first).to_have_value(re.compile(r"calibrat\*"))

    def pause(self) -> None:
        """For a week, and back."""
        self.open_mail("new papers?:")
        self.page.goto(self.link("pause"))
        self.look("pause")
        self.page.get_by_role("radio").first.check()
        self.page.get_by_role("button", name="Pause", exact=True).click()
        expect(self.page.locator(".notice")).to_contain_text("paused until")
        self.page.get_by_role("button", name="End the pause now").click()
        expect(self.page.locator(".notice")).to_contain_text("over")

    def leave(self) -> None:
        """One click by POST, as a mail program does it; then a new listing comes, and no mail."""
        self.open_mail("new papers?:")
        link = self.link("unsubscribe")
        self.page.goto(link)
        self.look("unsubscribe")
        request = urllib.request.Request(link, data=b"List-Unsubscribe=One-Click", method="POST")
        with urllib.request.urlopen(request) as answer:
            assert (answer.status, answer.url) == (200, link)
        before = self.demo.mails()
        papers = [
            {"title": f"Quantized calibration, part {number}", "abstract": "A reward model."} for number in range(5)
        ]
        listing = self.demo.folder / "listings" / "late.jsonl"
        listing.write_text("".join(json.dumps(paper) + "\n" for paper in papers), encoding="utf-8")
        time.sleep(4)
        assert self.demo.mails() == before
        self.page.goto(link)
        self.look("unsubscribed")

    def open_mail(self, subject: str) -> None:
        """Open the newest mail with such a subject, once it is in the inbox."""
        for _ in range(100):
            self.page.goto(f"{self.demo.site}/inbox")
            mine = self.page.locator(".entry", has_text=ADDRESS).filter(has_text=re.compile(subject, re.IGNORECASE))
            if mine.count():
                mine.first.get_by_role("link").click()
                return
            time.sleep(0.2)
        raise AssertionError(f"no mail about {subject!r}: {self.page.locator('main').inner_text()}")

    def link(self, path: str) -> str:
        """The address of a page, as the text of the opened mail has it."""
        text = self.page.locator("pre").text_content() or ""
        found = re.search(rf"{re.escape(self.demo.site)}/{path}/[\w.-]+(?:/\d+)?", text)
        assert found, f"no link to {path} in {text}"
        return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--port", type=int, default=18490)
    arguments = parser.parse_args()
    for width, scheme in zip(WIDTHS, reversed(SCHEMES), strict=True):
        place = TemporaryDirectory()
        with place as folder, demo(Path(folder), arguments.port) as shown, chromium() as browser:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)

            def shoot(name: str, page: Page = page, kind: str = f"{width}-{scheme}") -> None:
                size = page.evaluate("[window.innerWidth, Math.min(document.documentElement.scrollHeight, 1800)]")
                clip = {"x": 0, "y": 0, "width": size[0], "height": size[1]}
                page.screenshot(path=arguments.out / f"{name}-{kind}.png", full_page=True, clip=clip)  # type: ignore[arg-type]  # a FloatRect

            Life(shown, page, script=True, look=shoot).whole()


if __name__ == "__main__":
    main()
