"""The events of `/responses`, as servers stream them. Unknown fields are ignored."""

from typing import Any

import msgspec


class OutputItem(msgspec.Struct):
    """One item of a response: a message, some reasoning, or a call."""

    type: str = ""
    name: str | None = None
    call_id: str | None = None
    input: str | None = None
    """The whole code of a call of a custom tool."""
    arguments: str | None = None
    """The whole arguments of a function call."""
    status: str | None = None
    phase: str | None = None
    """What the model calls its message, such as `commentary`."""
    content: Any = None


class CompactionItem(msgspec.Struct, omit_defaults=True):
    """A summary of the conversation that the server has made: the fields that go back to it."""

    encrypted_content: str = ""
    id: str | None = None


class IncompleteDetails(msgspec.Struct):
    """Why a response is not complete."""

    reason: str | None = None


class Response(msgspec.Struct):
    """A whole response: its beginning or its end."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: Any = None
    service_tier: str | None = None
    error: Any = None
    incomplete_details: IncompleteDetails | None = None


class ResponseEvent(msgspec.Struct):
    """One event of the stream. Large fields are decoded only where they are read."""

    type: str = ""
    delta: Any = None
    output_index: int = 0
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    input: Any = None
    """The whole code of a call of a custom tool, in the event that ends it."""
    arguments: Any = None
    """The whole arguments of a function call, in the event that ends them."""
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None
