"""Lines of the log, as they are written."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import structlog

from digest.schedule import logs
from digest.schedule.logs import configure, logger


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging belongs to the whole process: leave it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    logging.getLogger("digest").setLevel(logging.NOTSET)


def lines(stream: StringIO) -> list[dict[str, Any]]:
    """Every line, read as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_and_the_run() -> None:
    """One JSON object a line; the time is in UTC."""
    stream = StringIO()
    configure("json", "info", stream)
    with structlog.contextvars.bound_contextvars(run="4f1c"):
        logger("digest.run").info("run ended", sent=3)
    logger("digest.daemon").debug("too quiet")
    (line,) = lines(stream)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {"event": "run ended", "sent": 3, "run": "4f1c", "level": "info", "logger": "digest.run"}


def test_no_address_is_in_a_line() -> None:
    """Neither in the event, nor deep in a value, nor in what an error says."""
    stream = StringIO()
    configure("json", "info", stream)
    try:
        int("no ada@example.org here")
    except ValueError:
        logger("digest.run").exception("to bao@example.org", troubles=["chi@example.org: failed"], code=550)
    (line,) = lines(stream)
    assert "@" not in stream.getvalue()
    assert (line["event"], line["troubles"], line["code"]) == ("to (address)", ["(address): failed"], 550)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert "no (address) here" in line["exception"][0]["exc_value"]


def test_a_traceback_names_no_variables() -> None:
    """They may be secrets."""
    for form in ("json", "pretty"):
        stream = StringIO()
        configure(form, "info", stream)
        password = "hunter" + "2"
        try:
            _ = len(password) / 0
        except ZeroDivisionError:
            logger("digest.run").exception("broken")
        assert "division by zero" in stream.getvalue()
        assert "hunter2" not in stream.getvalue()


def test_a_person_reads_pretty_lines() -> None:
    """On a terminal, and where asked for; tracebacks as Python writes them, without addresses."""
    stream = StringIO()
    configure("pretty", "info", stream)
    try:
        int("no ada@example.org here")
    except ValueError:
        logger("digest.run").exception("run failed", reason="bao@example.org")
    text = stream.getvalue()
    assert "run failed" in text
    assert "Traceback" in text
    assert "@" not in text


@pytest.mark.parametrize(("terminal", "first"), [(True, "2"), (False, "{")])
def test_auto_is_pretty_on_a_terminal(terminal: bool, first: str) -> None:
    """And JSON elsewhere."""
    stream = StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]  # the point of the test
    configure("auto", "info", stream)
    logger("digest.run").info("hello")
    assert stream.getvalue().replace("\x1b[2m", "")[0] == first


def test_other_libraries_speak_the_same_way() -> None:
    """From warning on; a warning of Python's, too."""
    stream = StringIO()
    configure("json", "debug", stream)
    logging.getLogger("uvicorn.error").info("listening on ada@example.org")
    logging.getLogger("apscheduler").warning("late for %s", "ada@example.org")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", UserWarning, stacklevel=1)
    first, second = lines(stream)
    assert (first["event"], first["logger"], first["level"]) == ("late for (address)", "apscheduler", "warning")
    assert second["logger"] == "py.warnings"


def test_the_level_may_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A reload configures anew, for loggers that were used before."""
    log = logs.logger("digest.run")
    for level, count in [("warning", 0), ("debug", 1)]:
        configure("json", level)
        log.debug("quiet")
        assert capsys.readouterr().err.count("\n") == count
