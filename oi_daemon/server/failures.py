"""What a client is told of an error: never a key, a control character or a traceback of ours."""

import logging
from typing import Any

from oi_daemon.errors import InternalError, OIError
from oi_daemon.logs import redact
from oi_daemon.messages.text import without_controls
from oi_daemon.protocol.jsonrpc import Id, failure
from oi_daemon.settings.paths import log_path

logger = logging.getLogger(__name__)


def for_a_person(method: str, error: BaseException) -> OIError:
    """The error as it may be told. A fault of the daemon goes to the log, and its text says so.

    Args:
        method: the call that failed.
    """
    if isinstance(error, OIError):
        return error
    logger.error("%s failed", method, exc_info=error)
    return InternalError(f"{method}: something unexpected went wrong; {log_path()} has the details")


def refusal(request_id: Id | None, error: OIError) -> dict[str, Any]:
    """The answer that tells a client of an error.

    Args:
        request_id: None if no id could be read.
    """
    return failure(request_id, error, text_of(error))


def text_of(error: OIError) -> str:
    """The error's message, safe to be shown and stored."""
    return without_controls(redact(str(error)))
