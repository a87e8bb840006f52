"""The operator's session: a token opens it, a signed cookie keeps it.

Rules
-----
1. The token is that of the configuration, compared in constant time; a client has few tries.
2. The cookie is signed for this purpose, ends after 12 hours or when the secrets or the token are others, is shown to
   no script, and comes with nothing that another site sends (SameSite=Strict; `__Host-` where the site allows it, RFC
   6265bis 4.1.3).
3. Without it a page leads to where the operator signs in, and from there to the first page, wherever one wanted to go;
   what would change something is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.responses import Response

from digest import tokens
from digest.store.rates import Rate
from digest.web.desk import Asked, Desk, Handler, Page, RefusedError
from digest.web.pages import seen

_TRIES = Rate("operator", 10, 600)
_MOST_NUMBER = 18
"""Digits of a number in an address."""


def page(path: str, handler: Handler, *methods: str) -> Page:
    """A page for the operator only."""

    def guarded(asked: Asked) -> Response:
        if is_operator(asked):
            return handler(asked)
        if asked.posted:
            words = "The session is over, and nothing was changed. Sign in at /operator/sign-in, and do it again."
            raise RefusedError(403, "Sign in first", words)
        return seen(f"{asked.desk.base}/operator/sign-in")

    return Page(path, guarded, methods or ("GET",))


def is_operator(asked: Asked) -> bool:
    """Whether a request comes with a session."""
    desk = asked.desk
    cookie = asked.cookies.get(_cookie_name(desk), "")
    return tokens.read_passing(cookie, "operator", _secrets(desk), desk.clock()) is not None


def number(text: str) -> int | None:
    """A number in an address; None: it is none, or larger than any."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_NUMBER else None


def numbered(asked: Asked) -> int:
    """The number in the path. Raises RefusedError."""
    found = number(asked.place["number"])
    if found is None:
        raise not_there()
    return found


def not_there() -> RefusedError:
    """What to say of a number that nothing has."""
    return RefusedError(
        404, "There is nothing of that number", "It may be gone. Start again from the operator's pages."
    )


def _sign_in(asked: Asked) -> Response:
    if not asked.posted:
        return asked.show("operator_sign_in.html", fault="")
    desk = asked.desk
    token = desk.web.operator_token.get_secret_value()
    if not hmac.compare_digest(asked.given("token").strip().encode(errors="replace"), token.encode()):
        fault = "That is not it. It stands in the configuration as operator_token, under [web]."
        return asked.show("operator_sign_in.html", 403, fault=fault)
    answer = seen(f"{desk.base}/operator")
    cookie = tokens.sign_passing("operator", 0, _secrets(desk), desk.clock())
    _keep(answer, desk, cookie, tokens.LIFETIMES["operator"])
    return answer


def _sign_out(asked: Asked) -> Response:
    answer = seen(f"{asked.desk.base}/operator/sign-in")
    _keep(answer, asked.desk, "", 0)
    return answer


def _keep(answer: Response, desk: Desk, value: str, seconds: int) -> None:
    name, secure = _cookie_name(desk), desk.web.url.startswith("https:")
    answer.set_cookie(name, value, seconds, path=desk.base or "/", secure=secure, httponly=True, samesite="strict")


def _secrets(desk: Desk) -> Sequence[str]:
    """What signs the cookie: a new token ends all sessions, as new secrets do."""
    token = desk.web.operator_token.get_secret_value()
    return [f"{secret} {token}" for secret in desk.press.secrets]


def _cookie_name(desk: Desk) -> str:
    return "__Host-operator" if desk.web.url.startswith("https:") and not desk.base else "operator"


PAGES: tuple[Page, ...] = (
    Page("/operator/sign-in", _sign_in, ("GET", "POST"), _TRIES),
    page("/operator/sign-out", _sign_out, "POST"),
)
