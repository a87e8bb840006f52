"""Pictures of a mail at 375 and 800 pixels, light and dark, taken by Debian's Chromium.

    python benchmarks/screenshots.py [MAIL.html] [--out docs/screenshots]

Without a file, `digest demo` makes one: the mail to Bao, who has two profiles. Needs the `dev` extra (playwright) and
/usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--hide-scrollbars"]
WIDTHS = (375, 800)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def demo_mail() -> str:
    """The HTML of the demo's mail to Bao."""
    with TemporaryDirectory() as folder:
        digest = Path(sys.executable).with_name("digest")
        subprocess.run([digest, "demo", folder], check=True, stdout=subprocess.DEVNULL)
        (mail,) = Path(folder, "mails").glob("bao-*.html")
        return mail.read_text(encoding="utf-8")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium with a new profile that talks to nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def shoot(page_html: str, folder: Path, name: str = "digest") -> list[Path]:
    """Take the four pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with chromium() as browser:
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page.set_content(page_html)
                taken.append(folder / f"{name}-{width}-{scheme}.png")
                page.screenshot(path=taken[-1], full_page=True)
                page.close()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mail", nargs="?", type=Path, help="an HTML file; without one, the demo's")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    arguments = parser.parse_args()
    page = arguments.mail.read_text(encoding="utf-8") if arguments.mail else demo_mail()
    for path in shoot(page, arguments.out):
        print(path)


if __name__ == "__main__":
    main()
