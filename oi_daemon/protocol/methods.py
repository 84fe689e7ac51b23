"""The wire contract, version 1: methods, their params and results, and the one notification.

The shapes of all `oi/*` messages are defined here. `docs/schema.json` is generated from them by
`oi_daemon.protocol.schema`, and every message has a golden example in `docs/examples/`.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from oi_daemon.errors import InvalidError
from oi_daemon.messages import Chunk, ConversationState, EndOfExecution, Executing, InputRequest
from oi_daemon.protocol import chunks
from oi_daemon.protocol.files import FileBlocks, FileDiffs, FilesUndone
from oi_daemon.protocol.lookups import Completions, Documentation, Variables
from oi_daemon.protocol.offers import (
    ModelOfferParams,
    ModelReplyParams,
    ModelReplyResult,
    OfferedModel,
)

VERSION = 1
CHUNK = "oi/chunk"


def _defined(name: str) -> Meta:
    """Return a mark for a type that `oi_daemon.protocol.schema` defines under this name."""
    return Meta(extra_json_schema={"$ref": f"#/$defs/{name}"})


WireChunk = Annotated[dict[str, Any], _defined("Chunk")]
WireResult = Annotated[dict[str, Any], _defined("BlockResult")]
StoredMessage = Annotated[dict[str, Any], _defined("StoredMessage")]
SettingsChanges = Annotated[dict[str, Any], _defined("Settings")]
_NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
_MATCHING_ID = f"`str` matching regex {_NO_CONTROL_CHARACTERS!r}"
"""The words by which msgspec's error says what it expected in place of an id with control
characters. `decode_params` replaces them by plain ones."""
ConversationId = Annotated[
    Annotated[str, Meta(min_length=1, max_length=200, pattern=_NO_CONTROL_CHARACTERS)] | None,
    Meta(description="Its id. Left out: the daemon's default conversation."),
]


class _Shape(msgspec.Struct, kw_only=True):
    """A value on the wire. Unknown fields are ignored, so more may be added."""


class NoParams(_Shape):
    """The params of a method that takes none."""


class ConversationParams(_Shape):
    conversation: ConversationId = None


class ChatParams(_Shape):
    message: str
    conversation: ConversationId = None
    settings: Annotated[
        SettingsChanges, Meta(description="Settings that hold for this turn alone.")
    ] = {}
    displays: Annotated[
        list[dict[str, Any]],
        Meta(description="Pictures that go with the message: MIME bundles, data as base64."),
    ] = []


class ExecuteParams(_Shape):
    language: str
    code: str
    conversation: ConversationId = None
    background: Annotated[
        bool, Meta(description="Let it go on in the background, and answer as soon as it runs.")
    ] = False
    aside: Annotated[
        bool, Meta(description="Keep and notify nothing of it; what it asks for is end of file.")
    ] = False


class BackgroundStopParams(_Shape):
    conversation: ConversationId = None
    block: Annotated[str | None, Meta(description="Its id. Left out: all of them.")] = None


class ApproveParams(_Shape):
    approval: str
    decision: Literal["run", "skip", "stop", "always"]
    conversation: ConversationId = None
    code: Annotated[
        str | None, Meta(description="With `run` and `always`: runs in place of the model's.")
    ] = None


class InputParams(_Shape):
    input: str
    value: Annotated[str | None, Meta(description="One line without its end; null: end of file.")]
    conversation: ConversationId = None


class AttachParams(_Shape):
    conversation: Annotated[str, Meta(min_length=1, max_length=200, pattern=_NO_CONTROL_CHARACTERS)]


class HistoryListParams(_Shape):
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 50
    cursor: str | None = None
    query: str | None = None
    conversation: Annotated[
        ConversationId, Meta(description="Lists the folder that this one is kept in.")
    ] = None


class SessionUsage(_Shape, omit_defaults=True):
    """What all turns of a session have used, also those that `oi/history/set` brought."""

    input_tokens: int
    output_tokens: int
    cost: Annotated[float, Meta(description="US dollars of the requests whose price is known.")]
    unpriced: Annotated[int, Meta(description="Requests whose price is not known.")]
    about: Annotated[
        bool,
        Meta(
            description="Whether requests were counted by the price of an earlier version, because"
            " the model's own is not known."
        ),
    ] = False


class HistorySetParams(_Shape):
    messages: list[Any]
    conversation: ConversationId = None
    usage: Annotated[
        SessionUsage | None,
        Meta(description="What the session has used before, for a daemon that goes on with it."),
    ] = None


class HistoryDeleteParams(_Shape):
    conversation: Annotated[str, Meta(min_length=1, max_length=200)]


class FilesParams(_Shape):
    """Which files: those of a turn, of a block, or at and below a path. Left out: the latest turn's
    that are not undone."""

    conversation: ConversationId = None
    turn: int | None = None
    block: Annotated[int | None, Meta(description="The number in a `files` notice.")] = None
    path: Annotated[
        str | None, Meta(description="The latest block's that has changed something there.")
    ] = None


class FilesUndoParams(FilesParams):
    redo: Annotated[bool, Meta(description="Undo the latest undo.")] = False


class SettingsSetParams(_Shape):
    settings: SettingsChanges
    conversation: ConversationId = None


class VariablesParams(_Shape):
    conversation: ConversationId = None
    language: Annotated[
        str | None, Meta(description="Left out: all languages that the conversation has used.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


class PlaceParams(_Shape):
    """A place in code that need not have been run."""

    language: str
    code: str
    position: Annotated[
        int, Meta(ge=0, description="How many characters (Unicode code points) are before it.")
    ]
    conversation: ConversationId = None


class TurnUsage(_Shape, omit_defaults=True):
    input_tokens: int
    output_tokens: int
    cost: Annotated[float | None, Meta(description="US dollars; null: the price is not known.")]
    about: Annotated[bool, Meta(description="As in the session's usage.")] = False


class TurnResult(_Shape):
    conversation: str
    turn: int
    status: Literal["done", "interrupted", "stopped", "budget", "background"]
    messages: Annotated[list[StoredMessage], Meta(description="Those that the turn added.")]
    usage: TurnUsage
    session: SessionUsage
    last_seq: Annotated[
        int, Meta(description="`seq` of the conversation's last notification; 0: there was none.")
    ]


class Accepted(_Shape):
    accepted: bool


class Interrupted(_Shape):
    interrupted: bool


class InBackground(_Shape):
    block: Annotated[
        str | None, Meta(description="The id under which the block goes on; null: none ran.")
    ]


class Stopped(_Shape):
    stopped: Annotated[bool, Meta(description="False if there was no such block.")]


class Deleted(_Shape):
    deleted: bool


class Empty(_Shape):
    """The result of a method that gives nothing back."""


class ConversationResult(_Shape):
    conversation: str


class HistoryMessages(_Shape):
    conversation: str
    messages: list[StoredMessage]


class WaitingApproval(_Shape):
    """A block that waits: nothing runs until `oi/approve` names its id."""

    id: str
    code: str
    language: str


class WaitingInput(_Shape):
    """Code, or a question of the daemon, that waits for `oi/input`."""

    id: str
    prompt: str
    password: bool


class TurnSoFar(_Shape, omit_defaults=True):
    """The turn under way, as far as its chunks have been sent."""

    messages: Annotated[
        list[StoredMessage],
        Meta(
            description="What it has added so far, without the person's words. The last may grow."
        ),
    ]
    finished: Annotated[int, Meta(description="How many of the messages can change no more.")]
    unfinished: Annotated[
        list[WireChunk],
        Meta(
            description="Chunks that fold to the messages after the finished ones. Begin a fold"
            " with them, and go on with those that are notified."
        ),
    ]
    approval: WaitingApproval | None = None
    input: WaitingInput | None = None
    active_line: Annotated[
        int | None, Meta(description="Number of the line that is being run, from 1.")
    ] = None


class Attached(_Shape, omit_defaults=True):
    conversation: str
    messages: Annotated[
        list[StoredMessage], Meta(description="All but those that the turn under way has added.")
    ]
    state: ConversationState
    last_seq: Annotated[
        int, Meta(description="`seq` of the last chunk that is in this. The next one has a higher.")
    ]
    settings: Annotated[dict[str, Any], _defined("PublicSettings")]
    turn: Annotated[
        TurnSoFar | None, Meta(description="Left out between turns, and before one has begun.")
    ] = None


class HistoryEntry(_Shape, omit_defaults=True):
    conversation: str
    title: str
    updated: Annotated[str, Meta(description="ISO 8601, UTC.")]
    messages: Annotated[int, Meta(description="How many.")]
    snippet: Annotated[
        str | None, Meta(description="Where a query was found: the words around it, on one line.")
    ] = None


class PassedOverFile(_Shape):
    name: str
    why: Annotated[str, Meta(description="Why it is not in the list: words that follow the name.")]


class HistoryPage(_Shape, omit_defaults=True):
    conversations: list[HistoryEntry]
    cursor: Annotated[str | None, Meta(description="Of the next page, if there is one.")] = None
    passed_over: Annotated[
        list[PassedOverFile],
        Meta(
            description="On the first page without a query: files in the folder that are left out."
        ),
    ] = []


class Removed(_Shape):
    removed: list[StoredMessage]


class LanguageEntry(_Shape, omit_defaults=True):
    name: str
    aliases: list[str]
    available: bool
    suffix: Annotated[str, Meta(description="Of its files, as in `.py`.")]
    lexer: Annotated[str, Meta(description="Name of the Pygments lexer that highlights it.")]
    vscode: Annotated[
        list[str],
        Meta(description="Language ids of VS Code that mean it, the one to show it under first."),
    ]
    neovim: Annotated[
        list[str],
        Meta(description="Filetypes of Neovim that mean it, the one to show it under first."),
    ]
    why: Annotated[str | None, Meta(description="Why it is not available.")] = None
    path: Annotated[str | None, Meta(description="Of the program that runs it.")] = None
    version: Annotated[str | None, Meta(description="Of that program, if it says so in time.")] = (
        None
    )


class Languages(_Shape):
    languages: list[LanguageEntry]


class ServerEntry(_Shape):
    api_base: str
    models: Annotated[
        list[str], Meta(description="Those that can chat; of a hosted server, the best ones first.")
    ]


class ModelsResult(_Shape):
    server: Annotated[
        ServerEntry | None,
        Meta(
            description="The hosted server that the settings name, with its models; null if they"
            " name none, or if it does not list its models."
        ),
    ]
    local: Annotated[
        list[ServerEntry],
        Meta(description="Servers found on their usual ports on this machine."),
    ]
    offered: Annotated[list[OfferedModel], Meta(description="Models that connected clients offer.")]


class ProcessEntry(_Shape, omit_defaults=True):
    """A process that code has started."""

    pid: int
    language: str
    command: Annotated[str, Meta(description="At most 200 characters; known keys are redacted.")]
    seconds: Annotated[float, Meta(description="How long it has been running.")]
    ports: Annotated[list[int], Meta(description="TCP ports on which it listens.")] = []


class BackgroundEntry(_Shape):
    """A block in the background."""

    block: str
    language: str
    seconds: Annotated[float, Meta(description="How long it has been in the background.")]


class ConversationStatus(_Shape, omit_defaults=True):
    conversation: str
    state: ConversationState
    model: str
    cost: Annotated[float, Meta(description="US dollars of this session, as far as known.")]
    usage: SessionUsage
    processes: Annotated[
        list[ProcessEntry],
        Meta(
            description="What its code has started and what runs now, such as servers. Linux only."
        ),
    ] = []
    background: Annotated[list[BackgroundEntry], Meta(description="Blocks in the background.")] = []


class QueueDepths(_Shape):
    requests: Annotated[int, Meta(description="Accepted and not answered.")]
    outgoing_bytes: Annotated[
        int, Meta(description="Written by the daemon, not yet read by the client.")
    ]


class StatusResult(_Shape):
    version: str
    pid: int
    uptime: Annotated[float, Meta(description="Seconds.")]
    memory: Annotated[int, Meta(description="Resident bytes of the daemon's process.")]
    conversations: list[ConversationStatus]
    queues: QueueDepths
    problems: Annotated[
        list[str],
        Meta(
            description="What is wrong and concerns a person, each a line: mistakes in the"
            " configuration, a folder that does not exist, a conversation that was not saved."
        ),
    ]


class ChunkParams(_Shape, omit_defaults=True):
    """Params of the one notification, `oi/chunk`."""

    conversation: str
    turn: int
    seq: int
    chunk: WireChunk
    state: Annotated[
        ConversationState,
        Meta(description="The conversation's, after this chunk. A turn's result means `idle`."),
    ]
    first_seq: Annotated[
        int | None, Meta(description="The first one's, where neighbouring chunks were joined.")
    ] = None
    approval: Annotated[
        str | None, Meta(description="On `executing`: nothing runs until this id is approved.")
    ] = None
    input: Annotated[str | None, Meta(description="On `input`: the id that `oi/input` names.")] = (
        None
    )
    result: Annotated[
        WireResult | None, Meta(description="On `end_of_execution`: how the block ended.")
    ] = None


P = TypeVar("P", bound=msgspec.Struct)
"""The params of a method."""
R = TypeVar("R")
"""The result of a method."""


@dataclass(frozen=True, slots=True)
class Method(Generic[P, R]):
    """A request of the wire."""

    name: str
    params: type[P]
    result: type[R]
    handler: str
    """Name of the coroutine of `server.methods.Methods` that serves the method."""
    turn: bool = False
    """True if the method runs a turn. Cancelling the request interrupts the turn, whose result
    still comes."""


AnyMethod: TypeAlias = Method[Any, Any]
"""A method that was looked up by its name, so that a type checker does not know its types."""

STREAM = Method("oi/stream", ChatParams, TurnResult, "stream", turn=True)
CHAT = Method("oi/chat", ChatParams, TurnResult, "chat", turn=True)
EXECUTE = Method("oi/execute", ExecuteParams, TurnResult, "execute", turn=True)
APPROVE = Method("oi/approve", ApproveParams, Accepted, "approve")
ATTACH = Method("oi/attach", AttachParams, Attached, "attach")
DETACH = Method("oi/detach", AttachParams, Empty, "detach")
INPUT = Method("oi/input", InputParams, Accepted, "input")
BACKGROUND = Method("oi/background", ConversationParams, InBackground, "background")
BACKGROUND_STOP = Method("oi/background/stop", BackgroundStopParams, Stopped, "background_stop")
INTERRUPT = Method("oi/interrupt", ConversationParams, Interrupted, "interrupt")
CLOSE = Method("oi/close", ConversationParams, Empty, "close_conversation")
HISTORY_LIST = Method("oi/history/list", HistoryListParams, HistoryPage, "history_list")
HISTORY_GET = Method("oi/history/get", ConversationParams, HistoryMessages, "history_get")
HISTORY_SET = Method("oi/history/set", HistorySetParams, ConversationResult, "history_set")
HISTORY_UNDO = Method("oi/history/undo", ConversationParams, Removed, "history_undo")
HISTORY_COMPACT = Method(
    "oi/history/compact", ConversationParams, TurnResult, "history_compact", turn=True
)
HISTORY_RESET = Method("oi/history/reset", ConversationParams, Empty, "history_reset")
HISTORY_DELETE = Method("oi/history/delete", HistoryDeleteParams, Deleted, "history_delete")
SETTINGS_GET = Method("oi/settings/get", ConversationParams, dict[str, Any], "settings_get")
SETTINGS_SET = Method("oi/settings/set", SettingsSetParams, dict[str, Any], "settings_set")
FILES_LIST = Method("oi/files/list", ConversationParams, FileBlocks, "files_list")
FILES_DIFF = Method("oi/files/diff", FilesParams, FileDiffs, "files_diff")
FILES_UNDO = Method("oi/files/undo", FilesUndoParams, FilesUndone, "files_undo")
LANGUAGES = Method("oi/languages", NoParams, Languages, "languages")
MODELS = Method("oi/models", ConversationParams, ModelsResult, "models")
MODEL_OFFER = Method("oi/model/offer", ModelOfferParams, Empty, "model_offer")
MODEL_REPLY = Method("oi/model/reply", ModelReplyParams, ModelReplyResult, "model_reply")
VARIABLES = Method("oi/variables", VariablesParams, Variables, "variables")
INSPECT = Method("oi/inspect", PlaceParams, Documentation, "inspect")
COMPLETE = Method("oi/complete", PlaceParams, Completions, "complete")
STATUS = Method("oi/status", NoParams, StatusResult, "status")

METHODS: dict[str, AnyMethod] = {
    method.name: method
    for method in (
        *(STREAM, CHAT, EXECUTE, APPROVE, INPUT, INTERRUPT, ATTACH, DETACH),
        *(BACKGROUND, BACKGROUND_STOP, CLOSE),
        *(HISTORY_LIST, HISTORY_GET, HISTORY_SET, HISTORY_UNDO, HISTORY_COMPACT, HISTORY_RESET),
        HISTORY_DELETE,
        *(FILES_LIST, FILES_DIFF, FILES_UNDO),
        *(SETTINGS_GET, SETTINGS_SET, LANGUAGES, MODELS, STATUS),
        *(MODEL_OFFER, MODEL_REPLY),
        *(VARIABLES, INSPECT, COMPLETE),
    )
}
"""Every request, by its name on the wire."""


def decode_params(method: Method[P, R], params: Any) -> P:
    """A request's params as the method's type. Raises as `convert_params` does."""
    return convert_params(params, method.params)


def convert_params(params: Any, wanted: type[P]) -> P:
    """A request's params as this type.

    Raises:
        InvalidError: they do not fit. The message names the field.
    """
    try:
        return msgspec.convert({} if params is None else params, wanted)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        field = where.strip("`").removeprefix("$").removeprefix(".")
        what = what.replace(_MATCHING_ID, "text without control characters")
        text = f"{what[:1].lower()}{what[1:]}".replace("object ", "params ", 1)
        named = text.startswith("params ")
        raise InvalidError(text if named else f"{field or 'params'}: {text}") from None


def chunk_params(
    chunk: Chunk, conversation: str, turn: int, seq: int, state: ConversationState
) -> ChunkParams:
    """The params of the notification of a chunk."""
    result = chunk.result if isinstance(chunk, EndOfExecution) else None
    return ChunkParams(
        conversation=conversation,
        turn=turn,
        seq=seq,
        chunk=chunks.to_wire(chunk),
        state=state,
        approval=chunk.approval if isinstance(chunk, Executing) else None,
        input=chunk.input if isinstance(chunk, InputRequest) else None,
        result=chunks.result_to_wire(result) if result else None,
    )
