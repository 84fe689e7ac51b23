"""The data of a model's server that has to go back to it: the field `provider`.

Gemini wants the signature of each call back, DeepSeek and Kimi the reasoning before it, OpenAI its
reasoning items, and Mistral its own call ids. The data is stored with the block of code, and is
sent to no other server and to no other model. A summary that the server itself has made is data of
this kind too; it is stored with the message that stands for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oi_daemon.messages import AssistantMessage, CodeMessage
from oi_daemon.model.endpoint import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderData:
    """What one server needs back with one block. Every field may be empty."""

    call_id: str | None = None
    """The server's own id of the call."""
    joined: bool = False
    """Whether the call belongs to the same reply as the call before it."""
    call: Mapping[str, Any] = field(default_factory=dict)
    """Chat completions: further fields of the call, such as `extra_content`."""
    message: Mapping[str, Any] = field(default_factory=dict)
    """Chat completions: further fields of the message, such as `reasoning_content`."""
    items: Sequence[Mapping[str, Any]] = ()
    """Responses: the items before the call, such as those of its reasoning; or a summary."""
    phase: str | None = None
    """Responses: what the server calls the text before the call, such as `commentary`."""

    def dump(self) -> dict[str, Any] | None:
        """Return the fields that say something, as a dictionary; None if none does."""
        fields = {
            "call_id": self.call_id,
            "joined": self.joined,
            "call": dict(self.call),
            "message": dict(self.message),
            "items": [dict(item) for item in self.items],
            "phase": self.phase,
        }
        return {name: value for name, value in fields.items() if value} or None


CHARACTERS_PER_TOKEN = 4
"""Characters of reasoning, plain or encrypted, that are counted as one token."""
UNSIGNED: Mapping[str, Any] = {
    "extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}
}
"""Fields of a call that Gemini has not signed: its documentation names this value for them."""
NOTHING = ProviderData()
"""The data of a block that has none for the server that is asked."""


def stamp(data: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the data with the names of the server and the model that it belongs to."""
    return {"endpoint": endpoint.api_base, "model": endpoint.model, **data}


def provider_data(
    message: CodeMessage | AssistantMessage, endpoint: Endpoint | None
) -> ProviderData:
    """Return what goes back to this endpoint with the message; nothing of another endpoint's.

    A field of another form than ours counts as empty, because anybody can write the file.
    """
    data = message.provider
    if data is None or endpoint is None:
        return NOTHING
    if (data.get("endpoint"), data.get("model")) != (endpoint.api_base, endpoint.model):
        return NOTHING
    items = data.get("items")
    return ProviderData(
        call_id=_text(data.get("call_id")),
        joined=data.get("joined") is True,
        call=_mapping(data.get("call")),
        message=_mapping(data.get("message")),
        items=[each for each in items if isinstance(each, Mapping)]
        if isinstance(items, list)
        else (),
        phase=_text(data.get("phase")),
    )


def data_tokens(message: CodeMessage | AssistantMessage) -> int:
    """Return about how many tokens the data costs that goes back with the message."""
    return _characters(message.provider) // CHARACTERS_PER_TOKEN if message.provider else 0


def _characters(value: object) -> int:
    """Return the length of all texts in the data."""
    match value:
        case str():
            return len(value)
        case Mapping():
            return sum(map(_characters, value.values()))
        case list() | tuple():
            return sum(map(_characters, value))
        case _:
            return 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
