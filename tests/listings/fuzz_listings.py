"""A fuzzer for every parser and for what stands before them: coverage-guided, from the papers in every format.

    python tests/listings/fuzz_listings.py --minutes 3 [--only rss bibtex] [--corpus folder]

Needs atheris (`pip install -e ".[fuzz]"`). A parser is done when its minutes are over; one that raises, hangs or wants
too much memory stops at once, and the input that did it is kept. The exit code is then 1.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

if __name__ == "__main__" and "--inside" in sys.argv:
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # no types, and not in "dev"

    with atheris.instrument_imports(include=["digest"]):
        import digest.listings  # noqa: F401 - every parser must be instrumented before anything else imports it

from mangling import assert_sound, mangled, mangled_bytes
from papers import PAPERS
from writers import disguised, files

from digest.errors import ListingError
from digest.listings import Origin, read
from digest.listings.packed.unpack import unpacked
from digest.listings.sniff import FORMATS, sniff
from digest.listings.wording.decode import decode, tidy
from digest.listings.wording.readable import readable
from digest.model import Rejection

ORIGIN = Origin(date(2026, 11, 18))
MOST = 1 << 20
SECONDS = 10  # for one input of at most LONGEST bytes
LONGEST = 20_000
SEEDS = tuple(
    file
    for start in (0, 13, 28, 40, 52)
    for kind in (files, disguised)
    for file in kind(PAPERS[start : start + 3])
    if file.papers
)


def check_format(name: str, content: bytes) -> None:
    """Read any bytes as the text of a format."""
    text = text_of(content)
    FORMATS[name].recognise(text)
    with suppress(ListingError):
        assert_sound(FORMATS[name].parse(text, ORIGIN), text)


def check_sniff(content: bytes) -> None:
    """Tell the format of any text."""
    sniff(text_of(content))


def check_readable(content: bytes) -> None:
    """Make any text readable: it is one line then, and no longer than its links and signs can make it."""
    text = text_of(content)
    for html in (False, True):
        made = readable(text, html=html)
        assert made == tidy(made)
        assert len(made) <= 4 * len(text) + 100


def check_unpacked(content: bytes) -> None:
    """Unpack any bytes: never more than allowed."""
    with suppress(ListingError):
        parts = [part for part in unpacked(content, ORIGIN.day, MOST) if not isinstance(part, Rejection)]
        assert sum(len(part.content) for part in parts) <= max(MOST, len(content))


def check_read(content: bytes) -> None:
    """Read any bytes as a file."""
    with suppress(ListingError):
        read(content, ORIGIN, MOST)


def text_of(content: bytes) -> str:
    """Bytes as `decode` would hand them to a parser."""
    try:
        return decode(content)[0]
    except ListingError:
        return content.decode(errors="replace").replace("\0", "").replace("\r", "\n")


CHECKS: Mapping[str, Callable[[bytes], None]] = {
    **{name: partial(check_format, name) for name in FORMATS},
    "sniff": check_sniff,
    "readable": check_readable,
    "unpacked": check_unpacked,
    "read": check_read,
}


def run(minutes: float, names: list[str], corpus: Path) -> int:
    """Fuzz these one after the other, each in a process of its own; the number of those that failed."""
    failed = 0
    for name in names:
        begun = corpus / name
        begun.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(file for file in SEEDS if name in (file.format, *CHECKS.keys() - FORMATS)):
            (begun / f"seed-{number}").write_bytes(file.content)
        failed += not _fuzz(name, begun, int(minutes * 60))
    return failed


def _fuzz(name: str, begun: Path, seconds: int) -> bool:
    command = [sys.executable, __file__, "--inside", name, str(begun), f"-max_total_time={seconds}"]
    limits = (f"-timeout={SECONDS}", f"-max_len={LONGEST}", "-rss_limit_mb=2048", f"-artifact_prefix={begun}-found-")
    result = subprocess.run((*command, *limits, "-print_final_stats=1"), capture_output=True, check=False)
    told = result.stderr.decode(errors="replace") + result.stdout.decode(errors="replace")
    count = re.search(r"number_of_executed_units:\s*(\d+)", told)
    print(f"{name}: {count[1] if count else '?'} inputs, {'ok' if result.returncode == 0 else 'FAILED'}", flush=True)  # noqa: T201 - its report
    if result.returncode:
        print("\n".join(line for line in told.splitlines() if not re.match(r"#\d+|NEW_FUNC|INFO", line))[-4_000:])  # noqa: T201 - its report
    return result.returncode == 0


def inside(name: str, arguments: list[str]) -> None:
    """Fuzz one of CHECKS in this process, which ends with it. Text changes line by line, or as libFuzzer likes."""

    def change(content: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(content, most))
        if name in ("read", "unpacked") and rng.random() < 0.5:
            return mangled_bytes(content, rng)[:most]
        return mangled(content.decode(errors="replace"), rng).encode()[:most]

    atheris.Setup([sys.argv[0], *arguments], CHECKS[name], custom_mutator=change)
    atheris.Fuzz()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3, help="for each parser")
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=list(CHECKS), metavar="NAME")
    parser.add_argument("--corpus", type=Path, help="keeps what was learned, and what was found")
    options = parser.parse_args()
    sys.exit(run(options.minutes, options.only, options.corpus or Path(mkdtemp(prefix="digest-fuzz-"))) > 0)


if __name__ == "__main__":
    if "--inside" in sys.argv:
        inside(sys.argv[2], sys.argv[3:])
    else:
        main()
