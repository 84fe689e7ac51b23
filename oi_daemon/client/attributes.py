"""The settings as attributes of an object: checked when they are assigned.

What checks them is imported at the first use: importing the library costs a program nothing else.
"""

import warnings
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

if TYPE_CHECKING:
    from oi_daemon.settings import Settings

T = TypeVar("T")


class _Setting(Generic[T]):
    """One setting. `del` gives it the configured value again."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "_Setting[T]": ...

    @overload
    def __get__(self, instance: "Configured", owner: type) -> T: ...

    def __get__(self, instance: "Configured | None", owner: type) -> "T | _Setting[T]":
        if instance is None:
            return self
        value: T = getattr(instance._current, self._name)
        return value

    def __set__(self, instance: "Configured", value: T) -> None:
        instance._change({self._name: value})

    def __delete__(self, instance: "Configured") -> None:
        instance._change({self._name: getattr(_configured(), self._name)})


class Configured:
    """Has every setting: as configured, until it is assigned."""

    model = _Setting[str]()
    local = _Setting[bool]()
    auto_run = _Setting[bool]()
    debug_mode = _Setting[bool]()
    max_output = _Setting[int]()
    conversation_history = _Setting[bool]()
    conversation_filename = _Setting[str | None]()
    conversation_history_path = _Setting[str | None]()
    temperature = _Setting[float]()
    system_message = _Setting[str]()
    context_window = _Setting[int | None]()
    max_tokens = _Setting[int | None]()
    api_base = _Setting[str | None]()
    api_key = _Setting[str | None]()
    max_budget = _Setting[float | None]()
    max_rounds = _Setting[int]()
    tool_style = _Setting[Literal["auto", "tools", "functions", "markdown"]]()
    vision = _Setting[Literal["auto", "on", "off"]]()
    python = _Setting[str | None]()
    max_seconds = _Setting[float | None]()
    max_memory = _Setting[int | None]()
    crash_proof = _Setting[bool]()
    crash_proof_memory = _Setting[int]()
    cwd = _Setting[str | None]()
    sandbox = _Setting[Literal["none", "write-protect", "isolated"]]()
    sandbox_folders = _Setting[str | None]()

    def __init__(self, settings: dict[str, Any]) -> None:
        """
        Raises:
            InvalidError: a setting that there is not, or a value that does not fit.
        """
        self._settings: Settings | None = None
        self._changed: dict[str, Any] = {}
        """All that was assigned."""
        self._unsent: dict[str, Any] = {}
        """What of it the daemon does not know yet."""
        if settings:
            self._change(settings)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            from oi_daemon.settings import NAMES

            raise AttributeError(f"there is no setting {name!r}; there are {', '.join(NAMES)}")
        object.__setattr__(self, name, value)

    @property
    def _current(self) -> "Settings":
        if self._settings is None:
            self._settings = _configured()
        return self._settings

    def _change(self, changes: dict[str, Any]) -> None:
        from oi_daemon.settings import change

        self._settings = change(self._current, changes)
        self._changed |= changes
        self._unsent |= changes


def _configured() -> "Settings":
    from oi_daemon.settings.sources import ConfigurationWarning, load_settings

    loaded = load_settings()
    for problem in loaded.problems:
        warnings.warn(problem, ConfigurationWarning, stacklevel=2)
    return loaded.settings
