"""Pages as HTML: Jinja templates, the operator's own first, then those that come with the package.

Rules
-----
1. Every value is escaped; an undefined name is an error.
2. Nothing is inline: no script, no style, so that the strictest policy holds.
3. A mail is shown as it is, with its own styles, in a sandbox: it runs, loads and sends nothing, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import jinja2
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest.rendering.edition import Site
from digest.rendering.templates import packaged

FOLDER = "web"
_OF_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox "
)


class Pages:
    """The templates of the pages. `site` says whose they are, `base` stands before every path of ours."""

    def __init__(self, own: Path | None, site: Site, base: str, *, signups: bool = True, inbox: str = "") -> None:
        """`own` is the operator's folder of templates; `inbox`: where the demo shows the mails it caught."""
        self.site = site
        folders = [folder / FOLDER for folder in (own, packaged()) if folder]
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(day=day, moment=moment)
        self._environment.globals.update(site=site, base=base, version=_version(), signups=signups, inbox=inbox)

    def page(
        self, template: str, values: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A whole page."""
        return HTMLResponse(self._environment.get_template(template).render(values), status, headers)

    def part(self, template: str, block: str, values: Mapping[str, object]) -> Response:
        """One block of a template."""
        found = self._environment.get_template(template)
        return HTMLResponse("".join(found.blocks[block](found.new_context(dict(values)))))


def sandboxed(html: str | bytes, sandbox: str, headers: Mapping[str, str] | None = None) -> Response:
    """The HTML of a mail (rule 3). `sandbox`: what a link in it may do, as in HTML's attribute."""
    return HTMLResponse(html, headers={"Content-Security-Policy": _OF_MAIL + sandbox, **(headers or {})})


def seen(address: str) -> Response:
    """Go and look at another page, after something was changed (303)."""
    return RedirectResponse(address, 303)


def day(seconds: int) -> str:
    """A moment as its date in UTC: 20 November 2026."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %B %Y}"


def moment(seconds: int) -> str:
    """A moment in UTC: 2026-11-20 07:30 UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _version() -> str:
    """What changes when a static file does, so that browsers may keep them for long."""
    static = files("digest.web").joinpath("static")
    content = b"".join(file.read_bytes() for file in sorted(static.iterdir(), key=lambda file: file.name))
    return sha256(content).hexdigest()[:12]
