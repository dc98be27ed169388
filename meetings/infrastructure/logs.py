"""Log lines: one object each, for machines as JSON or for people, with the request's id and without secrets."""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from meetings.infrastructure.settings import LogFormat

_SECRET_NAMES = re.compile(
    r"(?i)(authorization|cookie|password|passwd|secret|token|api_?key|credentials|verifier|code_challenge|access_key)"
)
_SECRET_TEXTS = (
    # Ours, and those of the providers: what begins like a token is one, wherever it stands.
    re.compile(r"\b(mtg_|ya29\.|1//|GOCSPX-)[A-Za-z0-9_\-./]{6,}"),
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password in an address
    re.compile(r"(?i)(?<=[?&])(code|state|token|access_token|refresh_token|client_secret)=[^&\s\"']+"),
    re.compile(r"(?<=/b/)[A-Za-z0-9_\-]{40,}"),  # manage links
    re.compile(r"(?<=/exports/)[A-Za-z0-9_\-]{40,}"),
)
REQUESTS, REQUEST = "meetings.http", "request"
"""The logger and the words of the line that each request leaves."""

_MASK = "[masked]"
_SHORT = 40
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


def set_up_logs(format: LogFormat, level: str) -> None:
    """Send every log line of the process to standard error in this format. A second call replaces the first."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _take_extra,
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(format)],
    )
    handler = (_JsonLines if format is LogFormat.JSON else logging.StreamHandler)(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # At DEBUG, libraries write down headers and bodies, so only ours may.
    root.setLevel(max(logging.getLevelName(level), logging.INFO))
    logging.getLogger("meetings").setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "dramatiq"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"  # each request leaves a line of ours
    # Which thread and which process is in no line of ours, and takes time to find out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in ("alembic", "dramatiq"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def log_request(request_id: str, method: str, path: str, status: int, milliseconds: float) -> None:
    """The one line per request. Where all lines go to one place as JSON it is written there right away, without what
    the library makes of a line: that took longer than many an answer."""
    if not _requests.isEnabledFor(logging.INFO):
        return
    handlers = logging.getLogger().handlers
    if len(handlers) == 1 and isinstance(handlers[0], _JsonLines):
        shown_id = request_id if request_id.isalnum() else _masked_text(request_id)
        which = _known_request(method, path, status) if len(path) < _SHORT else _request(method, path, status)
        handlers[0].write(
            f'{{"request_id": {encode_basestring_ascii(shown_id)}, "event": "{REQUEST}", "logger": "{REQUESTS}", '
            f'"level": "info", "timestamp": "{datetime.now(UTC).isoformat()[:-6]}Z", {which}, '
            f'"milliseconds": {milliseconds!r}}}'
        )
    else:
        # Not by `log.info`, which would look through the stack for a caller that no line names.
        about = {"method": method, "path": path, "status": status, "milliseconds": milliseconds}
        told = {"request_id": request_id, **about}
        record = _requests.makeRecord(REQUESTS, logging.INFO, __file__, 0, REQUEST, (), None, extra=told)
        _requests.handle(record)


def _request(method: str, path: str, status: int) -> str:
    """As it stands in the line: masked, and encoded as `_json` does."""
    shown = encode_basestring_ascii(_masked_text(path))
    return f'"method": {encode_basestring_ascii(method)}, "path": {shown}, "status": {status}'


_known_request = lru_cache(maxsize=256)(_request)
"""Methods, paths and states are the same again and again."""

_requests = logging.getLogger(REQUESTS)


class _JsonLines(logging.StreamHandler[TextIO]):
    def write(self, line: str) -> None:
        """Write a line that is complete but for its end."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.flush()
        except (OSError, ValueError):  # nobody reads any more, which is no reason to fail a request
            return
        finally:
            self.release()


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take out values whose name says that they are secret, and texts that look like a secret."""
    masked: EventDict = _masked(event)
    return masked


def _masked(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return _masked_short(value) if len(value) < _SHORT else _masked_text(value)
    if depth > 5:
        return _MASK
    if isinstance(value, MutableMapping):
        for name, inner in value.items():
            secret = _names_a_secret(str(name))
            value[name] = _MASK if secret else inner if name == "_record" else _masked(inner, depth + 1)
        return value
    if isinstance(value, list | tuple):
        return [_masked(inner, depth + 1) for inner in value]
    return value


def _masked_text(text: str) -> str:
    if text.isalnum():  # none of them consists of letters and digits alone
        return text
    for pattern in _SECRET_TEXTS:
        text = pattern.sub(_MASK, text)
    return text


_masked_short = lru_cache(maxsize=512)(_masked_text)
"""Most texts of log lines are the same again and again: words of ours, names of loggers, paths."""


@lru_cache(maxsize=512)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None and not name.startswith("_")


def _take_extra(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What `extra=` of the standard library brought."""
    record = event.get("_record")
    if record is not None:
        event.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
    return event


def _rendering(format: LogFormat) -> list[Processor]:
    if format is LogFormat.JSON:
        return [structlog.processors.JSONRenderer(serializer=_json)]
    exceptions = structlog.dev.plain_traceback
    return [_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=exceptions)]


def _json(value: Any, **_: Any) -> str:
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(default=str)
"""Everything but ASCII is escaped: some readers split lines at U+2028 too."""


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Somebody else's text must not look like lines of ours; only a traceback may have several."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = _CONTROLS.sub(lambda found: repr(found[0])[1:-1], value)
    return event
