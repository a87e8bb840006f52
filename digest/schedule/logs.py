"""How the daemon logs: one event a line, with time in UTC, level, and the id of the run that it belongs to.

Rules
-----
1. No mail address is in a line, wherever it comes from; editions and subscribers are named by their numbers.
2. Tracebacks name no local variables, which may be secrets.
3. Other libraries speak up from `warning`, in the same form.
"""

from __future__ import annotations

import logging
import sys
from typing import IO, Any, Literal

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from digest.heartbeat import masked

Form = Literal["auto", "json", "pretty"]
_OURS = "digest"


def configure(form: Form, level: str, stream: IO[str] | None = None) -> None:
    """Set up all logging of this process; `stream` is standard error where none is given."""
    stream = sys.stderr if stream is None else stream
    pretty = form == "pretty" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a reload may change the level and the form
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=_last(pretty, stream)))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger(_OURS).setLevel(level.upper())


def logger(name: str) -> BoundLogger:
    """The logger of one part of the daemon, such as "digest.daemon"."""
    made: BoundLogger = structlog.stdlib.get_logger(name)
    return made


def _last(pretty: bool, stream: IO[str]) -> list[Processor]:
    """The steps from an event to a line; masking comes when tracebacks are text already."""
    if pretty:
        render: Processor = ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=plain_traceback, timestamp_key="time"
        )
        return [ProcessorFormatter.remove_processors_meta, format_exc_info, _without_addresses, render]
    exceptions = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [
        ProcessorFormatter.remove_processors_meta,
        exceptions,
        _without_addresses,
        JSONRenderer(ensure_ascii=False, default=str),
    ]


def _without_addresses(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event, masked, with what every line has in front."""
    first = {key: event[key] for key in ("time", "level", "event") if key in event}
    return {key: _masked(value) for key, value in (first | dict(event)).items()}


def _masked(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case dict():
            return {key: _masked(part) for key, part in value.items()}
        case list() | tuple():
            return [_masked(part) for part in value]
        case _:
            return masked(str(value))
