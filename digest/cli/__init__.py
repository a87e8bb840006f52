"""The `digest` command.

Exit codes: 0 all well, 1 something failed and the report says what, 2 wrong use or configuration.
"""

from __future__ import annotations

import sys

from digest.errors import DigestError


def main() -> None:
    """Run the command line; an error of ours is shown as it stands, without a traceback."""
    from digest.cli.commands import cli  # noqa: PLC0415 (a broken pipe or Ctrl-C during imports ends quietly, too)

    try:
        cli()
    except DigestError as error:
        sys.stderr.write(f"digest: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"digest: the output cannot be written: {error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("digest: interrupted; what was done is kept, and the next run goes on from there\n")
        sys.exit(130)
