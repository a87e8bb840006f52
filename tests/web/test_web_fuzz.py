"""Whatever is sent to whatever page, the answer is a page, and reading changes nothing."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from fuzzing import Fuzzer, fuzz, site_of
from visits import URL, Visit
from workplace import ADA, body_of

SECONDS = 10
MANY = 100


def test_no_request_makes_an_error_of_ours(visit: Visit) -> None:
    """Some thousand requests with wrong paths, tokens, fields, headers and bodies; `make fuzz` goes on for minutes."""
    visit.app.run()
    every, tokens = site_of(visit)
    seen = asyncio.run(fuzz(visit.app.web(), Fuzzer(every, tokens, seed=1), SECONDS))
    assert {200, 404, 405, 422} <= seen.keys()


def test_a_hundred_gets_of_every_link_of_a_mail_change_nothing(visit: Visit) -> None:
    """Mail scanners follow links, all at once and again and again: not a row is different."""
    visit.app.run()
    mail = visit.mail(ADA)
    bodies = body_of(mail, "plain") + body_of(mail, "html").replace("&amp;", "&")
    links = sorted(set(re.findall(re.escape(URL) + r"(/[^\s\"<>)]+)", bodies)))
    assert {link.split("/")[1] for link in links} >= {"preferences", "pause", "unsubscribe", "editions", "feedback"}
    before = visit.place.dump()
    with ThreadPoolExecutor(8) as threads:
        asked = [(method, link) for link in links for method in ["GET"] * MANY + ["HEAD"]]
        statuses = set(threads.map(lambda ask: visit.client.request(*ask).status_code, asked))
    assert statuses == {200}
    assert visit.place.dump() == before
