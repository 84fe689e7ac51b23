"""The settings as attributes of an object: checked when they are assigned.

Importing the library stays cheap because what checks a setting is imported at its first use.
"""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn, TypeVar

from oi_daemon.client.callers import callers_level
from oi_daemon.errors import InvalidTypeError

if TYPE_CHECKING:
    from oi_daemon.settings import Settings
    from oi_daemon.settings.shapes import (
        ApiChoice,
        ReasoningEffort,
        SandboxMode,
        ServiceTier,
        ToolStyle,
        Verbosity,
        Vision,
    )

_NO_COPY = (
    "An {0} cannot be copied, pickled or given to another process, because it holds a conversation"
    " with a running daemon. For the same conversation, make {0}(conversation=it.conversation)"
    " there once this one is closed; for a new one that goes on from it, assign its messages:"
    " other.messages = it.messages."
)
C = TypeVar("C", bound=type)


def _with_properties(cls: C) -> C:
    """Give the class a property for each of its annotations, and return it.

    The annotations are the names of settings; the properties read and assign them.
    """
    for name in cls.__annotations__:
        setattr(cls, name, _property(name))
    return cls


def _property(name: str) -> property:
    """Return a property that reads and assigns one setting; `del` restores the configured value."""

    def read(owner: "SettingAttributes") -> object:
        return getattr(owner._current, name)

    def assign(owner: "SettingAttributes", value: object) -> None:
        owner._change({name: value})

    def restore(owner: "SettingAttributes") -> None:
        owner._change({name: getattr(_configured(), name)})

    return property(read, assign, restore)


@_with_properties
class SettingAttributes:
    """Has every setting as an attribute. Its value is the configured one until it is assigned."""

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
    tool_style: "ToolStyle"
    reasoning_effort: "ReasoningEffort"
    verbosity: "Verbosity"
    service_tier: "ServiceTier"
    extra_body: str | None
    extra_headers: str | None
    api: "ApiChoice"
    vision: "Vision"
    python: str | None
    max_seconds: float | None
    max_memory: int | None
    crash_proof: bool
    crash_proof_memory: int
    cwd: str | None
    sandbox: "SandboxMode"
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

    def __init__(self, settings: Mapping[str, object]) -> None:
        """Assign these settings.

        Raises:
            InvalidError: there is no such setting, or a value does not fit.
        """
        self._settings: Settings | None = None
        """The settings in force; None until they are first needed."""
        self._assigned: dict[str, object] = {}
        """Every setting that was assigned, with its latest value."""
        self._unsent: dict[str, object] = {}
        """Those assigned settings that the daemon has not been sent yet."""
        self._auto_run_before: bool | None = None
        """The value of `auto_run` before a person answered `always`; None if nobody has."""
        if settings:
            self._change(settings)

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            from oi_daemon.settings import NAMES

            raise AttributeError(f"there is no setting {name!r}; there are {', '.join(NAMES)}")
        object.__setattr__(self, name, value)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse `copy` and `pickle`: a copy would share the daemon's pipes with the original.

        Raises:
            InvalidTypeError: always.
        """
        raise InvalidTypeError(_NO_COPY.format(type(self).__name__))

    @property
    def _current(self) -> "Settings":
        """The settings in force. The settings file and the environment are read at first use."""
        if self._settings is None:
            self._settings = _configured()
        return self._settings

    def _change(self, changes: Mapping[str, object]) -> None:
        """Assign settings; nothing is assigned if one of them does not fit."""
        from oi_daemon.settings import change

        self._settings = change(self._current, changes)
        self._assigned |= changes
        self._unsent |= changes
        if "auto_run" in changes:
            self._auto_run_before = None

    def _allow_all(self) -> None:
        """Turn `auto_run` on for this conversation, as `always` does."""
        from oi_daemon.settings import change

        if not self._current.auto_run:
            self._auto_run_before = False
            self._settings = change(self._current, {"auto_run": True})

    def _end_allow_all(self) -> None:
        """Take an `always` back, because its conversation has ended."""
        if self._auto_run_before is not None:
            self._change({"auto_run": self._auto_run_before})


def _configured() -> "Settings":
    """The settings as configured. Mistakes in the configuration are given as Python warnings."""
    from oi_daemon.settings.sources import ConfigurationWarning, load_settings

    loaded = load_settings()
    for problem in loaded.problems:
        warnings.warn(problem, ConfigurationWarning, stacklevel=callers_level())
    return loaded.settings
