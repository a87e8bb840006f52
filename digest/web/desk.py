"""What every page works with: the desk, what was asked, and how it is answered.

A page is a plain function, `Asked → Response`, called in a thread. `application.py` has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import Response

from digest import tokens
from digest.alarms import Watched
from digest.backtest import Trials
from digest.press import Press
from digest.settings import Editions, Web
from digest.store import rates
from digest.store.rates import Rate
from digest.store.store import Store
from digest.tokens import Passing, Purpose
from digest.web.pages import Pages

Form = Mapping[str, Sequence[str]]


class RefusedError(Exception):
    """What was asked cannot be done: shown as a page that says why and what to do."""

    def __init__(self, status: int, title: str, words: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.title, self.words, self.headers = status, title, words, headers
        super().__init__(title)


@dataclass(frozen=True, slots=True)
class Desk:
    """All that pages need of the program.

    `ring` is called when somebody new may be due, `post` when a letter waits. `sources` are those configured.
    """

    store: Store
    clock: Callable[[], int]
    press: Press
    pages: Pages
    trials: Trials
    web: Web
    editions: Editions
    calendars: Collection[str] = ()
    sources: Sequence[Watched] = ()
    stale_seconds: int = 0
    ring: Callable[[], None] = field(default=lambda: None)
    post: Callable[[], None] = field(default=lambda: None)

    @property
    def base(self) -> str:
        """What stands before every path of ours: "" or "/digest", without a slash at the end."""
        return urlsplit(self.web.url).path.rstrip("/")

    @property
    def site(self) -> str:
        """The public address, without a slash at the end."""
        return self.web.url.rstrip("/")

    @property
    def contact(self) -> str:
        """The address to which people can write."""
        return self.pages.site.sender_address

    def sign(self, purpose: Purpose, number: int) -> str:
        """A token for a link."""
        return tokens.sign(purpose, number, self.press.secrets)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `place` has the parameters of its path; `client` is where it came from; `part`: htmx asks for it.

    The names of `headers` are in small letters.
    """

    desk: Desk
    method: str
    place: Mapping[str, str]
    query: Mapping[str, str]
    form: Form
    cookies: Mapping[str, str]
    client: str
    part: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def posted(self) -> bool:
        """Whether something may be changed."""
        return self.method == "POST"

    def given(self, name: str) -> str:
        """What stands in a field of the form, "" if there is none."""
        return given(self.form, name)

    def number(self, purpose: Purpose) -> int:
        """What the token in the path numbers. Raises RefusedError."""
        found = tokens.read(self.place["token"], purpose, self.desk.press.secrets)
        if found is None:
            raise dead_link()
        return found

    def passing_number(self, purpose: Passing) -> int:
        """The same of a token that ends."""
        found = tokens.read_passing(self.place["token"], purpose, self.desk.press.secrets, self.desk.clock())
        if found is None:
            raise dead_link()
        return found

    def spend(self, rate: Rate, name: str) -> None:
        """Let something be done so often only. Raises RefusedError."""
        with self.desk.store.write() as connection:
            seconds = rates.spend(connection, rate, name, self.desk.clock())
        if seconds:
            words = f"That was too often. Try again in {_in_words(seconds)}; nothing was changed."
            raise RefusedError(429, "Too many requests", words, retry_after(seconds))

    def show(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> Response:
        """A page. `values` are for its template, which also knows `site`, `base` and `url` (see `Pages`)."""
        return self.desk.pages.page(template, values, status, headers)

    def show_part(self, template: str, block: str, **values: object) -> Response:
        """One block of a page's template, for htmx to put in its place."""
        return self.desk.pages.part(template, block, values)


def given(form: Form, name: str) -> str:
    """The (last) value of a field of a form, "" if there is none."""
    return form[name][-1] if form.get(name) else ""


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"


def retry_after(seconds: float) -> Mapping[str, str]:
    """The header that says when to come again (RFC 9110 10.2.3), for an error page."""
    return {"Retry-After": str(int(seconds) + 1)}


def dead_link() -> RefusedError:
    """What to say of a token that is not ours, not for this page, or over."""
    return RefusedError(
        404,
        "This link does not work",
        "It may be cut off, or too old. Open it again from the mail, or have a new one sent.",
    )


Handler = Callable[[Asked], Response]
POSTS = Rate("post", 60, 60)
"""What one client may send in a minute."""


class Page(NamedTuple):
    """A page: its path, who answers, and what is allowed. `foreign`: other sites and mail programs may post to it."""

    path: str
    handler: Handler
    methods: Sequence[str] = ("GET",)
    rate: Rate = POSTS
    foreign: bool = False
