"""The `digest` command.

Exit codes: 0 all well, 1 something failed and the report says what, 2 wrong use or configuration.
"""

from __future__ import annotations

import gc
import os
import sys

from digest.errors import DigestError


def main() -> None:
    """Run the command line; an error of ours is shown as it stands, without a traceback."""
    _start_quickly()
    try:
        from digest.cli.commands import program  # noqa: PLC0415 (Ctrl-C during imports ends quietly, too)

        program(sys.argv[1:])()
    except DigestError as error:
        sys.stderr.write(f"digest: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"digest: {error.filename or 'the output'} cannot be written: {error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("digest: interrupted; what was done is kept, and the next run goes on from there\n")
        sys.exit(130)
    finally:
        _flush()


def _start_quickly() -> None:
    """Half of a small run is imports, so what is done beside them counts."""
    gc.set_threshold(100_000, 20, 100)  # modules stay: to look through them for garbage takes a quarter of the time
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads, and we multiply no dense matrices


def _flush() -> None:
    """Write out what is left; a reader that has hung up is no fault of ours, and nothing to complain of at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
