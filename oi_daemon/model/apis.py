"""Which API a model is asked by: chat completions, or OpenAI's newer `/responses`."""

import re
from typing import Literal
from urllib.parse import urlsplit

from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.reasoning import is_reasoning_model

Api = Literal["chat", "responses"]
"""The name of an API, as in the setting `api`."""


def first_api(endpoint: Endpoint) -> Api:
    """Return the API that a model is asked by before its server has said anything.

    OpenAI's models that think first are better there: they keep their reasoning between rounds.
    """
    if endpoint.is_small or not _is_openai(endpoint.api_base):
        return "chat"
    name = endpoint.model.lower()
    return "responses" if is_reasoning_model(name) or _RESPONSES.search(name) else "chat"


def runs_in_background(endpoint: Endpoint) -> bool:
    """Return whether a response is asked for that survives the loss of its connection.

    The pro models think for many minutes.
    """
    return _is_openai(endpoint.api_base) and _SLOW.search(endpoint.model.lower()) is not None


def _is_openai(api_base: str) -> bool:
    """Return whether this is OpenAI's server, or one of Azure's with OpenAI's newer API."""
    url = urlsplit(api_base)
    host = (url.hostname or "").lower()
    if host == "api.openai.com" or host.endswith(".api.openai.com"):
        return True
    return host.endswith(_AZURE) and url.path.rstrip("/").endswith("/openai/v1")


_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_RESPONSES = re.compile(r"codex|-pro\b|deep-research|daybreak")
_SLOW = re.compile(r"-pro\b|deep-research")
