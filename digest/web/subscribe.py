"""The first page: what this is, a sample, and subscribing with a preview; then the confirmation.

Rules
-----
1. Whoever subscribes is answered alike, after the same work, whether the address is known, new, or blocked. A stranger
   can have one letter a day sent to it, and no more.
2. No digest goes there before the button on the letter's page is pressed.
3. To press it again changes nothing, so that an old letter never undoes what was changed since.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection
from starlette.responses import Response

from digest.delivery.address import identity
from digest.model import Subscriber
from digest.store import members, signups, suppressions
from digest.store.letters import SUBSCRIBING
from digest.store.members import Member
from digest.store.rates import Rate
from digest.store.signups import Signup
from digest.store.subscribers import Named
from digest.web import forms, preview
from digest.web.desk import Asked, Page, RefusedError, dead_link
from digest.web.forms import Filled
from digest.web.mailing import write_letter
from digest.web.member import next_digest
from digest.web.pages import seen
from digest.web.sample import sample

_PER_CLIENT = Rate("subscribe", 10, 3600)


def landing(asked: Asked) -> Response:
    """What this is, and the form."""
    return _landing(asked, forms.of_newcomer(asked.desk.editions), own_zone=True)


def show_preview(asked: Asked) -> Response:
    """What the keywords would have brought: a part for htmx, else the page with all that was typed."""
    _refuse_if_closed(asked)
    filled = forms.read_newcomer(asked.form, asked.desk.editions)
    if asked.part:
        return preview.shown(asked, _previewed(asked, filled))
    return _landing(asked, replace(filled, faults={}))  # nobody has asked for anything yet


def subscribe(asked: Asked) -> Response:
    """Ask for a digest. Who opens the address of the form, as of a page with faults, begins again."""
    if not asked.posted:
        return seen(f"{asked.desk.base}/")
    _refuse_if_closed(asked)
    filled = forms.read_newcomer(asked.form, asked.desk.editions)
    if filled.subscriber is None:
        return _landing(asked, filled, 422)
    asked.spend(_PER_CLIENT, asked.client)
    with asked.desk.store.write() as connection:
        _ask(asked, connection, filled.subscriber)
    asked.desk.post()
    return seen(f"{asked.desk.base}/check-your-mail")


def check_your_mail(asked: Asked) -> Response:
    """What to do now; the same for everybody."""
    return asked.show("check_your_mail.html")


def confirmation(asked: Asked) -> Response:
    """What was asked for, with a button; nothing is changed."""
    with asked.desk.store.read() as connection:
        signup, member = _asked_for(asked, connection)
    if member:
        return _confirmed(asked, member, already=True)
    return asked.show("confirm.html", person=signup.subscriber, days=dict(forms.DAYS))


def confirm(asked: Asked) -> Response:
    """Subscribe who has said yes."""
    desk, now = asked.desk, asked.desk.clock()
    with desk.store.write() as connection:
        signup, before = _asked_for(asked, connection)
        if before is None:
            signups.confirm(connection, signup, now, desk.editions.first_days)
        member = before or members.find_by_identity(connection, signup.identity)
    if member is None:
        raise dead_link()
    desk.ring()
    return _confirmed(asked, member, already=before is not None)


def _landing(asked: Asked, filled: Filled, status: int = 200, *, own_zone: bool = False) -> Response:
    return asked.show(
        "landing.html",
        status,
        filled=filled,
        zones=forms.zones(filled.values["zone"]),
        own_zone=own_zone,
        preview=_previewed(asked, filled),
        difference=None,
    )


def _previewed(asked: Asked, filled: Filled) -> preview.Preview:
    return preview.preview(asked.desk.trials, filled.profiles, asked.desk.clock())


def _refuse_if_closed(asked: Asked) -> None:
    if not asked.desk.web.signups:
        words = "This digest is not open to everybody. Who gets it already can sign in with a mailed link."
        raise RefusedError(403, "Not open to everybody", words)


def _ask(asked: Asked, connection: Connection, wanted: Subscriber) -> None:
    """Note what somebody wants, and have the letter written; who is subscribed already is sent a way in instead."""
    who, now = identity(wanted.email), asked.desk.clock()
    member = members.find_by_identity(connection, who)
    if member and member.subscribed:
        person = member.subscriber
        signups.ask(connection, Named(who, person), now, member.confirmed_at or member.created_at)
        write_letter(asked, connection, "sign-in", person.email, who, person.id, SUBSCRIBING)
    else:
        signup = signups.ask(connection, Named(who, wanted), now)
        write_letter(asked, connection, "confirm", signup.subscriber.email, who, signup.id, SUBSCRIBING)


def _asked_for(asked: Asked, connection: Connection) -> tuple[Signup, Member | None]:
    """The signup of a link, and the subscriber if it was confirmed and holds. Raises RefusedError."""
    signup = signups.find(connection, asked.passing_number("confirm"))
    if signup is None:
        raise dead_link()
    suppressed = suppressions.find(connection, signup.identity)
    if suppressed and suppressed.kind != suppressions.LEFT:
        words = "It came back, or somebody complained, or the operator blocked it. "
        words += f"To have that changed, write to {asked.desk.contact}."
        raise RefusedError(403, "Mail to this address is blocked", words)
    member = members.find_by_identity(connection, signup.identity)
    return signup, member if member and member.subscribed and signup.confirmed_at else None


def _confirmed(asked: Asked, member: Member, *, already: bool) -> Response:
    desk, person = asked.desk, member.subscriber
    return asked.show(
        "confirmed.html",
        already=already,
        first=next_digest(person, member.due_at or 0, desk.clock(), desk.editions.skip),
        manage=desk.sign("manage", person.id),
        feed=desk.sign("feed", person.id),
    )


PAGES: tuple[Page, ...] = (
    Page("/", landing),
    Page("/sample", sample),
    Page("/preview", show_preview, ("POST",), preview.RATE),
    Page("/subscribe", subscribe, ("GET", "POST")),
    Page("/check-your-mail", check_your_mail),
    Page("/confirm/{token}", confirmation),
    Page("/confirm/{token}", confirm, ("POST",)),
)
