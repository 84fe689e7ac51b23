"""Every setting: its name, type, bounds, default and description, in one place.

The settings file, the command line's flags, the tables in the documentation, the JSON Schema and
the editors' manifests are made from this class.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from oi_daemon.errors import InvalidError, InvalidTypeError
from oi_daemon.settings.explanations import FILE_NAME, NO_NUL, explained, place_of
from oi_daemon.settings.mcp_servers import EXAMPLE, is_header, mcp_servers, shown_servers

DEFAULT_SYSTEM_MESSAGE = """\
You are Open Interpreter, a programmer who completes the user's goal by running code on the user's \
own machine.

Work in small steps. Run a block, look at its output, and decide what comes next. State is kept \
between the blocks of a language, so build on what you have. If a block fails, read the error and \
try another way.

You can use the network, install packages and read and write files. The user sees every block, its \
output and pictures as they appear, and is asked before each block runs: do not ask in words for \
permission. Do not repeat output that the user has already seen.

Say in a sentence what you are about to do, then run it. Before you answer, check the result: \
is it plausible, and is it what was asked? When the goal is reached, answer in plain words, \
briefly."""

_HOST = r"^(?!-)(?!(docker|podman|kubectl):-)[^\s\x00]+$"
"""A name that ssh and the others cannot take for an option."""
_Text = Annotated[str, Meta(min_length=1, pattern=NO_NUL)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, as a value: `change` checks changes, and makes another `Settings`."""

    model: Annotated[
        _Text, Meta(description="The language model's name, or the path of a `.gguf` file.")
    ] = "gpt-4"
    local: Annotated[
        bool, Meta(description="Run the model on this machine instead of at a hosted service.")
    ] = False
    auto_run: Annotated[
        bool, Meta(description="Run the model's code without asking. Off: nothing runs unasked.")
    ] = False
    debug_mode: Annotated[
        bool, Meta(description="Print every step to stderr: request, tokens, cost, code, timings.")
    ] = False
    max_output: Annotated[
        int,
        Meta(ge=1, description="Tokens of a block's output that the model gets to read."),
    ] = 2000
    conversation_history: Annotated[bool, Meta(description="Keep conversations on disk.")] = True
    conversation_filename: Annotated[
        Annotated[str, Meta(pattern=FILE_NAME)] | None,
        Meta(
            description="File name of this conversation. Default: its first words and the time.",
            examples=["my_conversation.json"],
        ),
    ] = None
    conversation_history_path: Annotated[
        _Text | None,
        Meta(
            description="Folder of the conversations. Default: in the application directory.",
            examples=["my_folder/conversations"],
        ),
    ] = None
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(
            description="Randomness of the model, 0 to 2. Default: the model's own.",
            examples=[0.7],
        ),
    ] = None
    system_message: Annotated[
        str, Meta(description="What the model is told before the conversation.")
    ] = DEFAULT_SYSTEM_MESSAGE
    custom_instructions: Annotated[
        str, Meta(description="Instructions of yours that are added to the system message.")
    ] = ""
    agents_md: Annotated[
        bool,
        Meta(
            description="Give the model the instructions in `AGENTS.md`, if the folder in which"
            " code runs has one."
        ),
    ] = True
    context_window: Annotated[
        Annotated[int, Meta(ge=256)] | None,
        Meta(
            description="The model's context window in tokens. Default: known by its name.",
            examples=[16000],
        ),
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Most tokens that the model may write in one response. Default: its own.",
            examples=[100],
        ),
    ] = None
    api_base: Annotated[
        _Text | None,
        Meta(
            description="Base URL of an OpenAI-compatible server. Default: OpenAI's.",
            examples=["https://api.example.com"],
        ),
    ] = None
    api_key: Annotated[
        _Text | None,
        Meta(
            description="Key for the server. Default: OPENAI_API_KEY.",
            examples=["your_api_key_here"],
        ),
    ] = None
    max_budget: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="Most US dollars that a session may cost. Default: no limit.",
            examples=[0.01],
        ),
    ] = None
    show_usage: Annotated[
        bool, Meta(description="Show tokens and cost after each turn, in the terminal.")
    ] = False
    max_rounds: Annotated[
        int, Meta(ge=1, description="Most requests to the model within one turn.")
    ] = 50
    tool_style: Annotated[
        Literal["auto", "tools", "functions", "markdown"],
        Meta(
            description="How the model is asked to write code: `tools`, legacy `functions`,"
            " `markdown` fences, or whichever the server takes (`auto`)."
        ),
    ] = "auto"
    reasoning_effort: Annotated[
        Literal["default", "none", "minimal", "low", "medium", "high", "xhigh", "max"],
        Meta(
            description="How long a reasoning model thinks: `none`, `minimal`, `low`, `medium`,"
            " `high`, `xhigh`, `max`, or as the model's maker has chosen (`default`)."
        ),
    ] = "default"
    verbosity: Annotated[
        Literal["default", "low", "medium", "high"],
        Meta(
            description="How much the model says: `low`, `medium`, `high`, or as its maker has"
            " chosen (`default`). For models that know it."
        ),
    ] = "default"
    service_tier: Annotated[
        Literal["auto", "default", "flex", "priority"],
        Meta(
            description="Price and speed of the requests: `default`, `flex` (cheaper and slower),"
            " `priority` (dearer and faster), or as the account is set (`auto`)."
        ),
    ] = "auto"
    extra_body: Annotated[
        _Text | None,
        Meta(
            description="More parameters of each request to the model, as a JSON object."
            " They replace ours.",
            examples=['{"top_k": 20}'],
        ),
    ] = None
    extra_headers: Annotated[
        _Text | None,
        Meta(
            description="More HTTP headers of each request to the model, as a JSON object.",
            examples=['{"X-Team": "research"}'],
        ),
    ] = None
    api: Annotated[
        Literal["auto", "chat", "responses"],
        Meta(
            description="How the server is asked: by chat completions (`chat`), by OpenAI's"
            " `responses`, or whichever suits the model (`auto`)."
        ),
    ] = "auto"
    vision: Annotated[
        Literal["auto", "on", "off"],
        Meta(
            description="Send pictures that code shows to the model: `on`, `off`, or to models that"
            " are known to take them (`auto`)."
        ),
    ] = "auto"
    python: Annotated[
        _Text | None,
        Meta(
            description="Python that runs the code. Default: the active virtual environment's.",
            examples=["/usr/bin/python3"],
        ),
    ] = None
    max_seconds: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(
            description="Seconds for which a block may run; then it is interrupted."
            " Default: no limit.",
            examples=[60],
        ),
    ] = None
    max_memory: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Megabytes that a language and what it has started may take; then the"
            " largest process is killed. Linux only. Default: no limit.",
            examples=[4000],
        ),
    ] = None
    crash_proof: Annotated[
        bool,
        Meta(
            description="Keep a standby of Python's process, so that a crash does not lose"
            " the variables. Linux only."
        ),
    ] = True
    crash_proof_memory: Annotated[
        int,
        Meta(ge=1, description="Megabytes of Python's memory above which no standby is kept."),
    ] = 1000
    cwd: Annotated[
        _Text | None,
        Meta(
            description="Folder in which code runs. Default: where the client is.",
            examples=["/home/me/project"],
        ),
    ] = None
    sandbox: Annotated[
        Literal["none", "write-protect", "isolated"],
        Meta(
            description="How code runs: with all of your rights (`none`), writing in its own"
            " folder only (`write-protect`), or without network and home folder too (`isolated`)."
        ),
    ] = "none"
    sandbox_folders: Annotated[
        _Text | None,
        Meta(
            description="More folders that code in a sandbox may write in, with a colon between.",
            examples=["/data:/home/me/results"],
        ),
    ] = None
    keep_files: Annotated[
        bool,
        Meta(
            description="Keep what files in the working folder held before each block, so that"
            " what code did to them can be seen and undone."
        ),
    ] = True
    keep_files_size: Annotated[
        int, Meta(ge=1, description="Megabytes of files that are kept for a conversation.")
    ] = 500
    keep_files_largest: Annotated[
        int, Meta(ge=1, description="Megabytes above which a file is not kept.")
    ] = 100
    keep_files_wait: Annotated[
        float,
        Meta(
            ge=0,
            description="Most seconds that a block waits until files are kept, which only a"
            " conversation's first one usually does.",
        ),
    ] = 1.0
    keep_files_ignore: Annotated[
        _Text | None,
        Meta(
            description="Files that are not kept, beside what Git ignores: patterns as in a"
            " `.gitignore`, with a comma between. Those with a `!` are kept.",
            examples=["*.parquet, !results/"],
        ),
    ] = None
    pass_keys: Annotated[
        _Text | None,
        Meta(
            description="Environment variables with keys of model servers that code gets all the"
            " same, with a comma between. Default: code gets none.",
            examples=["OPENAI_API_KEY"],
        ),
    ] = None
    shared: Annotated[
        bool,
        Meta(
            description="In the terminal and the library: use the daemon that all clients share,"
            " which outlives them, instead of a private one."
        ),
    ] = False
    host: Annotated[
        Annotated[str, Meta(pattern=_HOST)] | None,
        Meta(
            description="In the terminal and the library: use the daemon on another machine, by its"
            " name for ssh, or in a container: `docker:NAME`, `podman:NAME`, `kubectl:NAME`.",
            examples=["box"],
        ),
    ] = None
    send_keys: Annotated[
        bool,
        Meta(
            description="Send the key that is set here, and extra headers, to the daemon at `host`."
            " Off: what is set there is used."
        ),
    ] = False
    mcp: Annotated[
        _Text | None,
        Meta(
            description="MCP servers whose tools the model and its Python code may call, each a"
            " table `[mcp.NAME]` with `command` and `args`, or `url`.",
            examples=[json.dumps(EXAMPLE)],
        ),
    ] = None

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in public(self).items())})"


NAMES: tuple[str, ...] = Settings.__struct_fields__

OPTIONAL = frozenset(
    field.name for field in msgspec.structs.fields(Settings) if field.default is None
)
"""Names of the settings that may be unset, which means None."""


def change(settings: Settings, changes: Mapping[str, Any], *, lax: bool = False) -> Settings:
    """The settings with these changes applied. An empty text unsets a setting that may be unset.

    Args:
        lax: accept numbers and booleans as text, as in environment variables.

    Raises:
        InvalidError: an unknown name, or a value that does not fit. The text says which.
    """
    changes = {name: _as_json(name, value) for name, value in changes.items()}
    unknown = [name for name in changes if name not in NAMES]
    if unknown:
        raise InvalidError(f"settings.{unknown[0]}: there is no such setting{_suggest(unknown[0])}")
    try:
        changed = msgspec.convert(
            msgspec.structs.asdict(settings) | _unset_empty(changes), Settings, strict=not lax
        )
    except msgspec.ValidationError as error:
        kind = InvalidTypeError if _WRONG_TYPE in str(error) else InvalidError
        raise kind(_explain(error)) from None
    for name in changes.keys() & _JSON:
        _check_object(name, getattr(changed, name))
    return changed


def public(settings: Settings) -> dict[str, Any]:
    """All settings by name, as they may be shown.

    `api_key` is true if a key is set, and `extra_headers` has no values, because they may be keys;
    neither have the headers and the environment of the servers in `mcp`.
    """
    shown = msgspec.structs.asdict(settings) | {"api_key": settings.api_key is not None}
    if settings.extra_headers:
        names = json_object(settings.extra_headers)
        shown["extra_headers"] = json.dumps(dict.fromkeys(names, "..."))
    if settings.mcp:
        shown["mcp"] = shown_servers(settings.mcp)
    return shown


def json_object(text: str | None) -> dict[str, Any]:
    """The object of a setting that is written in JSON; empty where it is unset."""
    value: dict[str, Any] = json.loads(text) if text else {}
    return value


def descriptions() -> dict[str, str]:
    """The description of each setting by its name, in the order of the class."""
    properties = schema()["properties"]
    return {name: properties[name]["description"] for name in NAMES}


def schema() -> dict[str, Any]:
    """JSON Schema of the settings."""
    _, components = msgspec.json.schema_components([Settings])
    settings: dict[str, Any] = components["Settings"]
    return settings


def _unset_empty(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if value == "" and name in OPTIONAL else value for name, value in changes.items()
    }


def _as_json(name: str, value: Any) -> Any:
    """The value; an object for a setting that is written in JSON as its text."""
    if name not in _JSON or not isinstance(value, Mapping):
        return value
    try:
        return json.dumps(dict(value))
    except (TypeError, ValueError):
        raise InvalidError(f"settings.{name}: {_OBJECT}") from None


def _check_object(name: str, text: str | None) -> None:
    """Check the text of a setting that is written in JSON.

    Raises:
        InvalidError: the text is no JSON object, or holds headers that cannot be sent.
    """
    if text is None:
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidError(f"settings.{name}: {_OBJECT}")
    if name == "extra_headers" and not all(is_header(*each) for each in value.items()):
        raise InvalidError("settings.extra_headers: expected names and texts that HTTP can send")
    if name == "mcp":
        mcp_servers(text)


_JSON = frozenset({"extra_body", "extra_headers", "mcp"})
"""Names of the settings that are JSON objects. They are kept as text, and accepted as objects
too."""
_OBJECT = 'expected a JSON object, such as {"name": "value"}'


_WRONG_TYPE = ", got `"
"""What msgspec's message of a value of the wrong type has in it."""


def _explain(error: msgspec.ValidationError) -> str:
    """The error in plain words, with the setting's name and without its value."""
    name = place_of(error)
    choices = schema()["properties"].get(name, {}).get("enum", ())
    return f"settings.{name}: {explained(error, choices)}"


def _suggest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, NAMES, n=1)
    return f"; did you mean {close[0]}?" if close else ""
