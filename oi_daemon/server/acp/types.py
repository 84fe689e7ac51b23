"""The messages of ACP that we read and write, as far as we use them.

They are written by hand, because the official SDK takes half a second to import. The tests hold
them to it: all that we send is validated with the SDK's own models. The names of fields on the wire
are in camel case. See https://agentclientprotocol.com/protocol/schema.
"""

from typing import Any, Literal

import msgspec

VERSION = 1
"""The version of the protocol."""
NOT_FOUND = -32002
"""The code of the error for a session that does not exist."""

ToolStatus = Literal["pending", "in_progress", "completed", "failed"]
StopReason = Literal["end_turn", "cancelled", "max_turn_requests"]
OptionKind = Literal["allow_once", "allow_always", "reject_once"]


class _Received(msgspec.Struct, rename="camel", kw_only=True):
    """Params that we read. Unknown fields are ignored."""


class _Sent(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A value that we send."""


class Greeting(_Received):
    """Params of `initialize`."""

    client_capabilities: dict[str, Any] | None = None
    client_info: dict[str, Any] | None = None


class NewSession(_Received):
    cwd: str
    mcp_servers: list[Any] = []


class KnownSession(_Received):
    """Params of `session/load` and `session/resume`."""

    session_id: str
    cwd: str
    mcp_servers: list[Any] | None = None


class SessionQuery(_Received):
    """Params of `session/list`."""

    cwd: str | None = None
    cursor: str | None = None


class NamedSession(_Received):
    """Params that name a session and no more."""

    session_id: str


class ResourceData(_Received):
    """A file or another resource whose contents come with a prompt, as text or as base64."""

    uri: str
    text: str | None = None
    blob: str | None = None
    mime_type: str | None = None


class PromptBlock(_Received):
    """A part of a prompt; which fields it has depends on its type."""

    type: str
    text: str = ""
    data: str = ""
    mime_type: str | None = None
    uri: str | None = None
    name: str | None = None
    resource: ResourceData | None = None


class SessionPrompt(_Received):
    session_id: str
    prompt: list[PromptBlock]


class ModeChoice(_Received):
    session_id: str
    mode_id: str


class OptionChoice(_Received):
    session_id: str
    config_id: str
    value: Any


class TextBlock(_Sent, tag_field="type", tag="text"):
    text: str


class PictureBlock(_Sent, tag_field="type", tag="image"):
    data: str
    """Base64."""
    mime_type: str


class TextResource(_Sent):
    uri: str
    text: str
    mime_type: str


class ResourceBlock(_Sent, tag_field="type", tag="resource"):
    resource: TextResource


ContentBlock = TextBlock | PictureBlock | ResourceBlock


class ToolContent(_Sent, tag_field="type", tag="content"):
    content: ContentBlock


class _Words(_Sent, tag_field="sessionUpdate"):
    content: ContentBlock


class PersonWords(_Words, tag="user_message_chunk"):
    pass


class ModelWords(_Words, tag="agent_message_chunk"):
    pass


class ModelThoughts(_Words, tag="agent_thought_chunk"):
    pass


class ToolCallState(_Sent):
    """A tool call, or what has changed of it: what is None has not changed."""

    tool_call_id: str
    title: str | None = None
    kind: Literal["execute"] | None = None
    status: ToolStatus | None = None
    content: list[ToolContent] | None = None
    raw_input: dict[str, str] | None = None
    raw_output: dict[str, Any] | None = None
    meta: dict[str, Any] | None = msgspec.field(name="_meta", default=None)


class ToolCallBegun(ToolCallState, tag_field="sessionUpdate", tag="tool_call"):
    pass


class ToolCallChanged(ToolCallState, tag_field="sessionUpdate", tag="tool_call_update"):
    pass


class CommandInput(_Sent):
    hint: str


class SlashCommand(_Sent):
    name: str
    description: str
    input: CommandInput | None = None


class CommandsKnown(_Sent, tag_field="sessionUpdate", tag="available_commands_update"):
    available_commands: list[SlashCommand]


class ModeChanged(_Sent, tag_field="sessionUpdate", tag="current_mode_update"):
    current_mode_id: str


class OptionValue(_Sent):
    value: str
    name: str
    description: str | None = None


class ConfigOption(_Sent, tag_field="type", tag="select"):
    id: str
    name: str
    current_value: str
    options: list[OptionValue]
    description: str | None = None
    category: Literal["mode", "model"] | None = None


class OptionsChanged(_Sent, tag_field="sessionUpdate", tag="config_option_update"):
    config_options: list[ConfigOption]


SessionUpdate = (
    PersonWords
    | ModelWords
    | ModelThoughts
    | ToolCallBegun
    | ToolCallChanged
    | CommandsKnown
    | ModeChanged
    | OptionsChanged
)


class UpdateParams(_Sent):
    """Params of the notification `session/update`."""

    session_id: str
    update: SessionUpdate


class PermissionOption(_Sent):
    option_id: str
    name: str
    kind: OptionKind


class PermissionParams(_Sent):
    """Params of the request `session/request_permission`."""

    session_id: str
    tool_call: ToolCallState
    options: list[PermissionOption]


class SessionMode(_Sent):
    id: str
    name: str
    description: str


class ModeState(_Sent):
    current_mode_id: str
    available_modes: list[SessionMode]


class SessionState(_Sent):
    """The result of `session/load` and `session/resume`."""

    modes: ModeState
    config_options: list[ConfigOption]


class SessionBegun(SessionState):
    """The result of `session/new`."""

    session_id: str


class OptionsResult(_Sent):
    """The result of `session/set_config_option`."""

    config_options: list[ConfigOption]


class ListedSession(_Sent):
    session_id: str
    cwd: str
    title: str | None = None
    updated_at: str | None = None


class SessionPage(_Sent):
    """The result of `session/list`."""

    sessions: list[ListedSession]
    next_cursor: str | None = None


class PromptUsage(_Sent):
    """Tokens of all turns of the session."""

    total_tokens: int
    input_tokens: int
    output_tokens: int


class PromptResult(_Sent):
    """The result of `session/prompt`."""

    stop_reason: StopReason
    usage: PromptUsage | None = None
    meta: dict[str, Any] | None = msgspec.field(name="_meta", default=None)
