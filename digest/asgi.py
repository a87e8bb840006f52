"""The web pages for any ASGI server: `DIGEST_CONFIG=digest.toml uvicorn --factory digest.asgi:application`.

It serves the pages and sends their letters; loading, planning and sending are for `digest run` or `digest serve`.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from digest.app import opened
from digest.errors import DigestError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def application() -> ASGIApp:
    """The pages of the configuration that DIGEST_CONFIG names, digest.toml if it does not; one for each process.

    With a configuration that cannot be used, the process says why and ends.
    """
    with ExitStack() as stack:
        try:
            app = stack.enter_context(opened(Path(os.environ.get("DIGEST_CONFIG", "digest.toml"))))
            return _closing(app.web(), stack.pop_all())
        except DigestError as error:
            sys.stderr.write(f"digest: {error}\n")
            sys.exit(error.exit_code)


def _closing(app: ASGIApp, resources: ExitStack) -> ASGIApp:
    """The same application; its resources are given back at the end of its lifespan."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        with resources if scope["type"] == "lifespan" else ExitStack():
            await app(scope, receive, send)

    return answer
