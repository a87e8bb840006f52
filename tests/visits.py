"""A site to visit: its operator's folder, its pages through Starlette's client, and the mails that came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from sqlalchemy import select
from starlette.testclient import TestClient
from workplace import Mails, Workplace, body_of, paper

from digest.app import App
from digest.store.schema import subscribers
from digest.tokens import Purpose, sign

URL = "https://digest.example.net"
SECRETS = ("a secret that signs the links of tests",)
OPERATOR_TOKEN = "an operator's token for tests"
WEB = f'[web]\nurl = "{URL}"\nsecrets = ["{SECRETS[0]}"]\noperator_token = "{OPERATOR_TOKEN}"\n'
PAPERS = (
    paper(
        "Reward models that age well",
        "A reward model is trained once. We let it learn again.",
        url="https://example.org/1",
    ),
    paper("A survey of reward models", "Reward models, all of them.", url="https://example.org/2"),
    paper("Quantization for the patient", "Quantized weights, four bits each.", url="https://example.org/3"),
    paper("Graph transformers on maps", "Attention over graphs of streets.", url="https://example.org/4"),
)


@dataclass
class Visit:
    """A visitor's client on a site. Letters go out to `mails` while the visit lasts."""

    place: Workplace
    mails: Mails
    app: App
    client: TestClient

    def token(self, purpose: Purpose, number: int) -> str:
        """A token as the site signs it."""
        return sign(purpose, number, SECRETS)

    def subscriber(self, email: str) -> int:
        """A subscriber's number."""
        with self.app.store.read() as connection:
            number: int = connection.execute(select(subscribers.c.id).where(subscribers.c.email == email)).scalar_one()
            return number

    def mail(self, email: str, count: int = 1) -> EmailMessage:
        """The newest mail to somebody, once there are so many; letters are sent beside the pages."""
        until(lambda: len(self.mails.to(email)) >= count)
        newest: EmailMessage = self.mails.parsed(email)[-1]
        return newest

    def link(self, email: str, path: str, count: int = 1) -> str:
        """The path of a link in the newest mail to somebody that goes to a page of ours."""
        found = re.search(re.escape(URL) + rf"(/{path}/[\w./-]+)", body_of(self.mail(email, count), "plain"))
        assert found, f"no link to /{path}/"
        return found[1]


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so. Raises AssertionError if it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@contextmanager
def visiting(place: Workplace, mails: Mails, *subscribers: str, extra: str = "") -> Iterator[Visit]:
    """A site with four entries and these subscribers of the configuration, before its first run."""
    place.configure(*subscribers, extra=WEB + extra)
    place.listing("monday.jsonl", PAPERS)
    with place.opened() as app:
        app.pipeline.enrol()
        app.pipeline.load()
        with TestClient(app.web(), base_url=URL, follow_redirects=False) as client:
            yield Visit(place, mails, app, client)
