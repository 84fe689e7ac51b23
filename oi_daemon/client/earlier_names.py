"""The names of Open Interpreter 0.2 to 0.4, for programs that were written for it.

They do what they did there, as far as there is the same here, and a warning says once, at the line
that uses it, what each is called now.
"""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oi_daemon.client.callers import callers_level
from oi_daemon.errors import InvalidError

if TYPE_CHECKING:
    from oi_daemon.messages.shapes import MessageDict

_RENAMED = {"debug": "debug_mode", "offline": "local", "verbose": "debug_mode"}
"""Settings that have another name now."""
_NEEDLESS = {
    "anonymous_telemetry": "nothing is ever sent to anybody but the model's server",
    "disable_telemetry": "nothing is ever sent to anybody but the model's server",
    "safe_mode": "code runs after a yes, and `sandbox` restricts what it can do",
}
"""Settings without an effect, and why they are not needed."""
_OF_LLM = (
    *("api_base", "api_key", "context_window", "max_budget", "max_tokens", "model", "temperature"),
)
"""Settings that were attributes of `llm`."""
_SWITCHES: Mapping[str, tuple[str, Mapping[object, str]]] = {
    "supports_functions": ("tool_style", {True: "tools", False: "markdown", None: "auto"}),
    "supports_vision": ("vision", {True: "on", False: "off", None: "auto"}),
}
"""Attributes of `llm` that are settings with other values now."""
_LOCAL_PREFIXES = ("ollama/", "ollama_chat/", "lm_studio/")
"""Beginnings of a model's name that mean a server on this machine."""

_warned: set[str] = set()
"""The names that were warned about in this process."""


class _TodaysInterpreter(Protocol):
    """What is used of an `Interpreter` of today."""

    model: str
    local: bool

    def execute(self, language: str, code: str) -> "list[MessageDict]": ...


class EarlierNameWarning(UserWarning):
    """A program uses a name of Open Interpreter 0.2 to 0.4, which has another one here."""


def read(interpreter: "_TodaysInterpreter", name: str) -> Any:
    """The value of an earlier name.

    Raises:
        AttributeError: there never was such a name, or there is nothing like it.
    """
    if name in _RENAMED:
        _warn(name, _RENAMED[name])
        return getattr(interpreter, _RENAMED[name])
    if name in _NEEDLESS:
        return None
    if name == "llm":
        return EarlierLLM(interpreter)
    if name == "computer":
        return EarlierComputer(interpreter)
    raise AttributeError(f"{type(interpreter).__name__!r} object has no attribute {name!r}")


def assign(interpreter: "_TodaysInterpreter", name: str, value: object) -> bool:
    """Assign to an earlier name. False if there never was such a name, or nothing is like it."""
    if name in _RENAMED:
        _warn(name, f"{_RENAMED[name]} = {value!r}")
        setattr(interpreter, _RENAMED[name], value)
    elif name in _NEEDLESS:
        _say_once(name, f"has no effect: {_NEEDLESS[name]}")
    else:
        return False
    return True


class EarlierLLM:
    """`interpreter.llm`: the settings of the model, which are the interpreter's own now."""

    def __init__(self, interpreter: "_TodaysInterpreter") -> None:
        object.__setattr__(self, "_interpreter", interpreter)

    def __getattr__(self, name: str) -> Any:
        interpreter: _TodaysInterpreter = object.__getattribute__(self, "_interpreter")
        if name in _OF_LLM:
            _warn(f"llm.{name}", name)
            return getattr(interpreter, name)
        if name in _SWITCHES:
            setting, values = _SWITCHES[name]
            _warn(f"llm.{name}", setting)
            now = getattr(interpreter, setting)
            return next((old for old, new in values.items() if new == now), None)
        raise AttributeError(_nothing("llm", name, (*_OF_LLM, *_SWITCHES)))

    def __setattr__(self, name: str, value: object) -> None:
        interpreter: _TodaysInterpreter = object.__getattribute__(self, "_interpreter")
        if name == "model" and isinstance(value, str):
            self._choose(interpreter, value)
        elif name in _OF_LLM:
            _warn(f"llm.{name}", f"{name} = ..." if name == "api_key" else f"{name} = {value!r}")
            setattr(interpreter, name, value)
        elif name in _SWITCHES:
            setting, values = _SWITCHES[name]
            if value not in values:
                raise InvalidError(f"llm.{name}: expected True, False or None, not {value!r}")
            _warn(f"llm.{name}", f"{setting} = {values[value]!r}")
            setattr(interpreter, setting, values[value])
        else:
            raise AttributeError(_nothing("llm", name, (*_OF_LLM, *_SWITCHES)))

    def _choose(self, interpreter: "_TodaysInterpreter", name: str) -> None:
        """Set the model, whose name may begin with that of a provider, as litellm has it."""
        model = name
        for prefix in (*_LOCAL_PREFIXES, "openai/"):
            model = model.removeprefix(prefix)
        _warn("llm.model", f"model = {model!r}")
        interpreter.model = model
        if name.startswith(_LOCAL_PREFIXES):
            interpreter.local = True


class EarlierComputer:
    """`interpreter.computer`: runs code, which the interpreter's `execute` does now."""

    def __init__(self, interpreter: "_TodaysInterpreter") -> None:
        self._interpreter = interpreter

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_nothing("computer", name, ("run",)))

    def run(self, language: str, code: str) -> list[dict[str, str]]:
        """Run code, and return what it wrote and showed as messages of the earlier shape."""
        _warn("computer.run", "execute(language, code)")
        ran = self._interpreter.execute(language, code)
        return [shown for message in ran for shown in _earlier_shape(message)]


def _earlier_shape(message: "MessageDict") -> list[dict[str, str]]:
    """A block's output and pictures as messages of the earlier shape."""
    written = {"role": "computer", "type": "console", "format": "output"}
    output = message.get("output")
    shown = [{**written, "content": output}] if output else []
    for display in message.get("displays", ()):
        for mime, data in display.items():
            if mime in ("image/png", "image/jpeg"):
                form = f"base64.{mime.removeprefix('image/')}"
                shown.append({"role": "computer", "type": "image", "format": form, "content": data})
    return shown


def _nothing(owner: str, name: str, names: tuple[str, ...]) -> str:
    return f"there is nothing like {owner}.{name} here; of {owner} there are {', '.join(names)}"


def _warn(name: str, now: str) -> None:
    """Say once what an earlier name is called now."""
    _say_once(name, f"is a name of Open Interpreter 0.2 to 0.4; here it is interpreter.{now}")


def _say_once(name: str, what: str) -> None:
    if name not in _warned:
        _warned.add(name)
        text = f"interpreter.{name} {what}"
        warnings.warn(text, EarlierNameWarning, stacklevel=callers_level())
