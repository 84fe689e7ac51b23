"""What a failed request means for a person: an error that says what to do."""

from collections.abc import Sequence

from oi_daemon.errors import (
    AuthError,
    ConnectionLostError,
    ContextError,
    ModelError,
    NoModelError,
    RateLimitError,
)
from oi_daemon.model.failures import Failure
from oi_daemon.model.limits import MAX_RETRY_WAIT


def explain(failed: Failure, *, model: str, api_base: str, models: Sequence[str]) -> ModelError:
    """Return the error for a person.

    Args:
        models: names of the server's models, to choose from where it does not have this one.
    """
    text = _short(failed.text)
    if failed.lacks_model:
        error = NoModelError(_no_model(model, api_base, models))
        error.models = models
        return error
    if failed.overflows:
        return ContextError(_CONTEXT.format(model=model, text=text))
    if failed.retry_after is not None and failed.retry_after > MAX_RETRY_WAIT:
        wait = _duration(failed.retry_after)
        return RateLimitError(_LONG_WAIT.format(model=model, text=text, wait=wait))
    if failed.status is None:
        return _explain_no_answer(failed, api_base, text)
    match failed.status:
        case 401 | 403:
            return AuthError(_REFUSED_KEY.format(api_base=api_base, text=text))
        case 429 if failed.lacks_quota:
            return RateLimitError(_QUOTA.format(text=text))
        case 429:
            return RateLimitError(_RATE_LIMIT.format(model=model, text=text))
        case 404:
            return ModelError(_NOT_FOUND.format(api_base=api_base, text=text))
        case status if status >= 500:
            return ModelError(_SERVER.format(api_base=api_base, status=status, text=text))
        case status:
            return ModelError(_REFUSED.format(model=model, status=status, text=text))


def _explain_no_answer(failed: Failure, api_base: str, text: str) -> ModelError:
    """Return the error for a failure without a status of the server."""
    if failed.exceeds_limit:
        return ModelError(_LIMIT.format(api_base=api_base, text=text))
    if failed.is_redirect:
        return ModelError(_REDIRECT.format(api_base=api_base, text=failed.text))
    if failed.is_unreadable:
        return ModelError(_UNREADABLE.format(api_base=api_base, text=text))
    return ConnectionLostError(_CONNECTION.format(api_base=api_base, text=text))


def _no_model(model: str, api_base: str, models: Sequence[str]) -> str:
    """Return the error's text, with up to twelve models to choose from."""
    shown = ", ".join(models[:12]) + (", ..." if len(models) > 12 else "")
    offer = f" It has: {shown}." if models else ""
    return (
        f"{api_base} does not have the model {model}.{offer}"
        " Choose one with `interpreter --model NAME`, or for good with the setting model"
        " (`interpreter --config`)."
    )


def _duration(seconds: float) -> str:
    """Return a duration in words, such as "90 seconds" and "2 hours".

    The unit is the largest one in which the duration is at least two.
    """
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _short(text: str) -> str:
    """Return the text in one line of at most 300 characters that ends like a sentence."""
    text = " ".join(text.split())
    if len(text) > 300:
        return text[:300] + "..."
    return text if text.endswith((".", "!", "?")) else text + "."


KEY_MISSING = (
    "There is no key for OpenAI's models yet. One of these ways leads on: set OPENAI_API_KEY, or"
    " the setting api_key (`interpreter --config`), to a key from"
    " https://platform.openai.com/api-keys; or run a model on this machine, without any key:"
    " `interpreter --local`; or name another OpenAI-compatible server with the setting api_base"
    " (`interpreter --api_base URL`)."
)
_REFUSED_KEY = (
    "{api_base} refused the key: {text} Check OPENAI_API_KEY or the setting api_key"
    " (`interpreter --config`); without a key, `interpreter --local` runs a model on this machine,"
    " and api_base names another server."
)
_QUOTA = (
    "The account's quota is spent: {text} Check its plan and billing, set another key"
    " (OPENAI_API_KEY or the setting api_key), or use `interpreter --local`."
)
_RATE_LIMIT = (
    "The server takes no more requests for {model} at the moment: {text} Wait a little and say"
    " `continue`, or choose another model with the setting model."
)
_LONG_WAIT = (
    "The server takes no more requests for {model} and asks to wait for {wait}: {text} No further"
    " request was sent. Say `continue` after that time, or choose another model with the setting"
    " model."
)
_LIMIT = (
    "The answer of {api_base} was stopped: {text} Check the setting api_base, or choose another"
    " model with the setting model."
)
_REDIRECT = (
    "{api_base} redirects to another server, {text}. The conversation was not sent there. If that"
    " server is right, name it in the setting api_base."
)
_CONTEXT = (
    "The conversation does not fit the context window of {model}: {text} Begin a new one"
    " (`%reset`), lower max_output, set context_window to what the model has, or choose a model"
    " with a larger one."
)
_CONNECTION = (
    "No connection to {api_base}: {text} Check the network and the setting api_base;"
    " `interpreter --local` needs no network."
)
_UNREADABLE = (
    "What answers at {api_base} is not an OpenAI-compatible server, or its answer is damaged:"
    " {text} Check the setting api_base; it often ends in /v1."
)
_NOT_FOUND = (
    "{api_base} has no chat completions: {text} Check the setting api_base; it often ends in /v1."
)
_SERVER = "The server at {api_base} failed (HTTP {status}): {text} Try again in a while."
_REFUSED = "The server refused the request for {model} (HTTP {status}): {text}"
