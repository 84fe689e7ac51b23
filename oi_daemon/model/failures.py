"""Why a request failed.

A `Failure` is classified by status, code and the server's text together, because servers do not
agree on the first two.
"""

import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oi_daemon.model.events import BrokenOffError, StreamedError, UnreadableAnswerError
from oi_daemon.model.limits import MAX_RETRY_WAIT, RedirectRefusedError, ServerLimitError

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""Parameters that the user has chosen to limit an answer and its cost."""
OPTIONAL = (
    "stream_options",
    "stream",
    "temperature",
    "reasoning_effort",
    "verbosity",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "context_management",
    *LIMITS,
)
"""Parameters that can be left out of a request."""
QUOTED_OPTIONAL = (
    "include",
    "reasoning.summary",
    "reasoning.effort",
    "reasoning",
    "text.verbosity",
    "text",
    "store",
    "truncation",
    "background",
)
"""Further parameters that can be left out, whose names are also ordinary words: an error means one
of them only if it quotes the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why one request failed, and what can be done about it."""

    text: str
    """The error's text, from the server or the network."""
    status: int | None = None
    """HTTP status; None if no answer came or the stream broke off."""
    code: str = ""
    """The error's code as the server gives it, such as `context_length_exceeded`."""
    param: str = ""
    """Name of the parameter that the server complains about."""
    retry_after: float | None = None
    """Seconds that the server wants us to wait; None if it does not say."""
    exceeds_limit: bool = False
    """Whether the answer exceeded a bound of `limits`."""
    is_redirect: bool = False
    """Whether the server wants the request to be sent elsewhere; `text` is where."""
    is_unreadable: bool = False
    """Whether what answered is no OpenAI-compatible server."""
    timed_out: bool = False
    """Whether the server did not answer in time."""

    @property
    def lacks_quota(self) -> bool:
        """Whether the account has no credit left, which a retry cannot change."""
        return self.code == "insufficient_quota" or "insufficient_quota" in self.text

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        if (
            self.is_unreadable
            or self.timed_out
            or self.lacks_quota
            or self.exceeds_limit
            or self.is_redirect
        ):
            return False
        if self.retry_after is not None and self.retry_after > MAX_RETRY_WAIT:
            return False
        return self.status is None or self.status in (408, 429) or self.status >= 500

    @property
    def overflows(self) -> bool:
        """Whether the request does not fit into the context window."""
        refused = self.status is None or 400 <= self.status < 500
        too_long = self.code == "context_length_exceeded" or _OVERFLOW.search(self.text) is not None
        return refused and self.status != 429 and too_long

    @property
    def lacks_model(self) -> bool:
        """Whether the server does not have the model."""
        if self.code == "model_not_found":
            return True
        return self.status in (400, 404) and _UNKNOWN_MODEL.search(self.text) is not None

    @property
    def rejects_calls(self) -> bool:
        """Whether the server or the model does not accept tools."""
        if self.lacks_model or self.status is None or self.misses_signature:
            return False
        pattern = _CALLS if self.status in (400, 404, 422) else _NO_CALLS
        return pattern.search(f"{self.param} {self.text}") is not None

    @property
    def rejects_pictures(self) -> bool:
        """Whether the server or the model refuses pictures; some answer 500 then."""
        refused = self.status in (400, 404, 413, 415, 422, 500, 501)
        return refused and _PICTURES.search(f"{self.param} {self.text}") is not None

    @property
    def misses_signature(self) -> bool:
        """Whether the server refuses calls that it has not signed, such as another model's."""
        return self.status == 400 and _UNSIGNED.search(self.text) is not None

    @property
    def rejects_provider_data(self) -> bool:
        """Whether the server refuses what it has given us to send back with its calls."""
        if self.status not in (400, 422) or self.misses_signature:
            return False
        return _PROVIDER_DATA.search(f"{self.code} {self.param} {self.text}") is not None

    @property
    def rejected_parameter(self) -> str | None:
        """Name of the optional parameter that the server refuses; None for another failure.

        A limit that is only too large is the user's choice, so it is not left out.
        """
        if self.status not in (400, 422):
            return None
        name = self._named_parameter
        if name in LIMITS and not _UNSUPPORTED.search(f"{self.code} {self.text}"):
            return None
        return name

    @property
    def _named_parameter(self) -> str | None:
        """Name of the optional parameter that the error is about; None if it names none."""
        if self.param in QUOTED_OPTIONAL:
            return self.param
        root = re.split(r"[.\[]", self.param)[0]
        if root in (*OPTIONAL, *QUOTED_OPTIONAL):
            return root
        if named := _PARAMETER.search(self.text):
            return named[0]
        quoted = _QUOTED_PARAMETER.search(self.text)
        return quoted[1] if quoted else None

    @property
    def wants_responses(self) -> bool:
        """Whether the model is not for chat completions, but for `/responses`."""
        if self.status not in (400, 404):
            return False
        return _WANTS_RESPONSES.search(f"{self.code} {self.text}") is not None

    @property
    def lacks_responses(self) -> bool:
        """Whether the server has no `/responses`, or not for this model."""
        if self.is_unreadable or self.status in (404, 405, 501):
            return not self.lacks_model
        return self.status == 400 and _LACKS_RESPONSES.search(self.text) is not None

    @property
    def rejects_effort(self) -> bool:
        """Whether the model takes tools only if it is asked not to reason (effort `none`)."""
        text = f"{self.param} {self.text}"
        return self.status in (400, 422) and "reasoning_effort" in text and "tools" in text.lower()

    @property
    def stated_window(self) -> int | None:
        """Tokens of the window as the text says, such as "maximum context length is 8192"."""
        found = _WINDOW.search(self.text)
        return int(found[1].replace(",", "")) if found else None


def failure(error: Exception) -> Failure | None:
    """Return the failure that an exception of a request means; None for a bug of ours."""
    import httpx2
    import openai

    cause = error.__cause__
    match error:
        case openai.APIConnectionError() if isinstance(
            cause, RedirectRefusedError | ServerLimitError
        ):
            return failure(cause)
        case RedirectRefusedError():
            return Failure(text=str(error), is_redirect=True)
        case ServerLimitError():
            return Failure(text=str(error), exceeds_limit=True)
        case BrokenOffError():
            return Failure(text=str(error))
        case UnreadableAnswerError():
            return Failure(text=str(error), is_unreadable=True)
        case StreamedError():
            return _streamed(error.error)
        case openai.APIStatusError():
            return _refused(error)
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return Failure(text="It did not answer in time.", timed_out=True)
        case openai.APIConnectionError() | httpx2.HTTPError():
            return Failure(text=_cause(error))
        case _:
            return None


def _refused(error: Any) -> Failure:
    """Return the failure of an answer whose status is an error."""
    body = _error_object(error.body)
    text = str(body.get("message") or body.get("detail") or error.message)
    html = error.response.headers.get("content-type", "").startswith("text/html")
    return Failure(
        text=f"HTTP {error.status_code} and a web page" if html else text,
        status=error.status_code,
        code=str(body.get("code") or body.get("type") or ""),
        param=str(body.get("param") or ""),
        retry_after=_retry_after(error.response.headers),
    )


def _streamed(error: Any) -> Failure:
    """Return the failure of an error that came as an event, after the answer had begun."""
    body = _error_object(error) or {"message": str(error)}
    code = str(body.get("code") or body.get("type") or "")
    status = int(code) if code.isdecimal() else _STREAMED_STATUS.get(code, 500)
    return Failure(text=str(body.get("message", "")), status=status, code=code)


def _error_object(body: Any) -> Mapping[str, Any]:
    """Return the object that describes an error; empty if there is none.

    It may be the first of a list, as in Google's answers, or stand in `error`.
    """
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return {}
    inner = first.get("error")
    return inner if isinstance(inner, Mapping) else first


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait, which servers give as milliseconds, seconds or a date."""
    after = headers.get("retry-after", "")
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        elif after[:1].isdigit():
            seconds = float(after)
        else:
            seconds = email.utils.parsedate_to_datetime(after).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _cause(error: BaseException) -> str:
    """Return the text of the innermost cause that has one: "Name or service not known"."""
    texts = [str(error) or type(error).__name__]
    while (inner := error.__cause__ or error.__context__) is not None and len(texts) < 10:
        texts.append(str(inner))
        error = inner
    return next(text for text in reversed(texts) if text)


_OVERFLOW = re.compile(
    r"context.?(length|window|size)|maximum context|too many (input )?tokens"
    r"|prompt is too long|exceed_context_size|reduce the length",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model\b.{0,120}(does not exist|not found|not exist|unknown|not available)"
    r"|(no such|unknown|invalid) model\b|not a valid model",
    re.IGNORECASE | re.DOTALL,
)
_CALLS = re.compile(r"\b(tools?|functions?|function_call|tool_choice|tool use)\b", re.IGNORECASE)
_PICTURES = re.compile(
    r"image|vision|multi-?modal|picture|mmproj|content\b.{0,30}\b(?:must|should) be a string"
    r"|content\b.{0,40}valid string|payload too large",
    re.IGNORECASE,
)
_NO_CALLS = re.compile(r"\btools?\b.{0,40}(support|require)", re.IGNORECASE)
_PROVIDER_DATA = re.compile(
    r"messages?\b.{0,60}\breasoning|\breasoning_(content|details)\b|extra_content|thought_?signature"
    r"|encrypted_content|\breasoning\b.{0,30}\bitem|\brs_|\bcmp_|\binput\[\d+\].{0,60}\bcompaction",
    re.IGNORECASE | re.DOTALL,
)
_UNSIGNED = re.compile(r"(missing|without|lacks).{0,40}thought_?signature", re.IGNORECASE)
_PARAMETER = re.compile(
    rf"\b({'|'.join(name for name in OPTIONAL if name != 'stream')})\b|\bstream(?= this model\b)"
)
_QUOTED_PARAMETER = re.compile(
    rf"""['"`]({"|".join(map(re.escape, QUOTED_OPTIONAL))})['"`]""", re.IGNORECASE
)
_WANTS_RESPONSES = re.compile(
    r"v1/responses|unsupported_api_for_model|not a chat model|\bresponses api\b", re.IGNORECASE
)
_LACKS_RESPONSES = re.compile(
    r"not support.{0,60}responses|responses.{0,60}not support|v1/chat/completions",
    re.IGNORECASE | re.DOTALL,
)
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecognized|unknown|not permitted|not allowed|unexpected",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:context (?:length|window|size)\D{0,30}|n_ctx\D{0,5})(\d[\d,]{2,})", re.IGNORECASE
)
_STREAMED_STATUS = {
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "data_residency_mismatch": 400,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "authentication_error": 401,
    "invalid_api_key": 401,
}
