"""Logs: one JSON object a line on stderr, and only the fields named here. What is not on the list is not written.

The list is the protection: an exception's text, a query string or a field someone adds in passing may hold a name.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

ALLOWED = frozenset({
    "event", "level", "time", "request_id", "method", "route", "status", "milliseconds", "problem", "error", "where",
    "version", "family", "database", "address", "reason", "records",
})  # fmt: skip


def configure_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """Send the service's own and every library's log through the allow-list."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[*shared, _only_allowed, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[_library_line, _only_allowed, structlog.processors.JSONRenderer()],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def where(error: BaseException) -> str:
    """File and line an error came from, innermost first; never its text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))


def _library_line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message may be built from anything: keep who spoke and where an error arose, drop what was said."""
    record: logging.LogRecord = event["_record"]
    kept = {name: event[name] for name in ("level", "time", "records") if name in event}
    error = record.exc_info[1] if record.exc_info else None
    told = {"error": type(error).__name__, "where": where(error)} if error else {}
    return {**kept, **told, "event": f"{record.name}:{record.lineno}"}


def _only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED}
