"""Signing in: a link to the preferences goes to an address that has a digest. There are no passwords.

Rule: the answer is the same whether anybody has that address or not.
"""

from __future__ import annotations

from starlette.responses import Response

from digest.delivery.address import identity, parse_address
from digest.store import members
from digest.store.letters import SIGNING_IN
from digest.store.rates import Rate
from digest.web import member
from digest.web.desk import Asked, Page
from digest.web.forms import address_fault
from digest.web.mailing import write_letter
from digest.web.pages import seen

_PER_CLIENT = Rate("sign-in from", 30, 3600)


def sign_in(asked: Asked) -> Response:
    """Ask for the address; then have the link sent."""
    if not asked.posted:
        return asked.show("sign_in.html", email="", fault="")
    email = asked.given("email")
    if fault := address_fault(email):
        return asked.show("sign_in.html", 422, email=email, fault=fault)
    address = parse_address(email)
    with asked.desk.store.write() as connection:
        found = members.find_by_identity(connection, identity(address))
        known = found.subscriber if found and found.subscribed else None
        to, whose = (known.email, known.id) if known else (address, None)
        write_letter(asked, connection, "sign-in", to, identity(address), whose, SIGNING_IN)
    asked.desk.post()
    return seen(f"{asked.desk.base}/check-your-mail")


def enter(asked: Asked) -> Response:
    """The mailed link: on to the preferences, by the link that does not end."""
    found = member.of_number(asked, asked.passing_number("sign-in"))
    token = asked.desk.sign("manage", found.subscriber.id)
    return seen(f"{asked.desk.base}/preferences/{token}")


PAGES: tuple[Page, ...] = (
    Page("/sign-in", sign_in, ("GET", "POST"), _PER_CLIENT),
    Page("/sign-in/{token}", enter),
)
