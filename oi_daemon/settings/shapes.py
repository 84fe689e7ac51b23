"""The settings as a dictionary, for type checkers: the keyword arguments of `Interpreter`."""

from typing import Literal, TypeAlias, TypedDict

ToolStyle: TypeAlias = Literal["auto", "tools", "functions", "markdown"]
ReasoningEffort: TypeAlias = Literal[
    "default", "none", "minimal", "low", "medium", "high", "xhigh", "max"
]
Verbosity: TypeAlias = Literal["default", "low", "medium", "high"]
ServiceTier: TypeAlias = Literal["auto", "default", "flex", "priority"]
ApiChoice: TypeAlias = Literal["auto", "chat", "responses"]
Vision: TypeAlias = Literal["auto", "on", "off"]
SandboxMode: TypeAlias = Literal["none", "write-protect", "isolated"]


class SettingsDict(TypedDict, total=False):
    """Settings by name; each may be left out."""

    model: str
    local: bool
    auto_run: bool
    debug_mode: bool
    max_output: int
    conversation_history: bool
    conversation_filename: str | None
    conversation_history_path: str | None
    temperature: float | None
    system_message: str
    custom_instructions: str
    agents_md: bool
    context_window: int | None
    max_tokens: int | None
    api_base: str | None
    api_key: str | None
    max_budget: float | None
    show_usage: bool
    max_rounds: int
    tool_style: ToolStyle
    reasoning_effort: ReasoningEffort
    verbosity: Verbosity
    service_tier: ServiceTier
    extra_body: str | None
    extra_headers: str | None
    api: ApiChoice
    vision: Vision
    python: str | None
    max_seconds: float | None
    max_memory: int | None
    crash_proof: bool
    crash_proof_memory: int
    cwd: str | None
    sandbox: SandboxMode
    sandbox_folders: str | None
    keep_files: bool
    keep_files_size: int
    keep_files_largest: int
    keep_files_wait: float
    keep_files_ignore: str | None
    pass_keys: str | None
    shared: bool
    host: str | None
    send_keys: bool
    mcp: str | None
