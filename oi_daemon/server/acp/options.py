"""Modes and config options: what a person can choose for a session, and the settings it means."""

from collections.abc import Mapping, Sequence
from typing import Any

from oi_daemon.errors import InvalidError
from oi_daemon.server.acp.types import ConfigOption, ModeState, OptionValue, SessionMode

MODES = [
    SessionMode(id="ask", name="Ask", description="Every block waits for your yes"),
    SessionMode(id="auto", name="Auto", description="Code runs without asking, with your rights"),
    SessionMode(
        id="sandboxed",
        name="Sandboxed",
        description="Code runs without asking, in a sandbox: no network, no files but those of the"
        " working folder",
    ),
]
_SANDBOXES = [
    OptionValue(value="none", name="None", description="Code has all your rights"),
    OptionValue(
        value="write-protect",
        name="Write-protect",
        description="Code writes in the working folder only",
    ),
    OptionValue(
        value="isolated",
        name="Isolated",
        description="Code reads and writes the working folder only, without the network",
    ),
]
_LOCAL = "local:"
"""Before the name of a model on this machine, in the value of an option."""


def mode_of(settings: Mapping[str, Any]) -> str:
    """Return the id of the mode that these settings are."""
    if not settings["auto_run"]:
        return "ask"
    return "auto" if settings["sandbox"] == "none" else "sandboxed"


def mode_state(settings: Mapping[str, Any]) -> ModeState:
    """Return all modes, with the current one."""
    return ModeState(current_mode_id=mode_of(settings), available_modes=MODES)


def settings_for_mode(mode: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of settings that a mode means.

    `ask` leaves the sandbox as it is, and `sandboxed` one that is on already.

    Raises:
        InvalidError: there is no such mode.
    """
    match mode:
        case "ask":
            return {"auto_run": False}
        case "auto":
            return {"auto_run": True, "sandbox": "none"}
        case "sandboxed":
            is_on = settings["sandbox"] != "none"
            return {"auto_run": True, "sandbox": settings["sandbox"] if is_on else "isolated"}
    known = ", ".join(each.id for each in MODES)
    raise InvalidError(f"modeId: there is no mode {mode}; there are {known}")


def settings_for_option(option: str, value: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of settings that a choice of an option's value means.

    Raises:
        InvalidError: there is no such option, or its value is no text.
    """
    if not isinstance(value, str):
        raise InvalidError("value: expected the value of one of the option's choices")
    match option:
        case "mode":
            return settings_for_mode(value, settings)
        case "model" if value.startswith(_LOCAL):
            return {"model": value.removeprefix(_LOCAL), "local": True}
        case "model":
            return {"model": value, "local": False}
        case "sandbox":
            return {"sandbox": value}
    raise InvalidError(f"configId: there is no option {option}; there are mode, model, sandbox")


def config_options(
    settings: Mapping[str, Any], hosted: Sequence[str], local: Sequence[str]
) -> list[ConfigOption]:
    """Return all options.

    Args:
        hosted: names of models that the server has that the settings name, as far as known.
        local: names of models on this machine, as far as known.
    """
    names = {name: name for name in hosted}
    names |= {_LOCAL + name: f"{name} (on this machine)" for name in local}
    model = settings["model"]
    current = _LOCAL + model if settings["local"] else model
    names = {current: names.get(current, model), **names}
    return [
        ConfigOption(
            id="mode",
            name="Mode",
            category="mode",
            current_value=mode_of(settings),
            options=[
                OptionValue(value=mode.id, name=mode.name, description=mode.description)
                for mode in MODES
            ],
        ),
        ConfigOption(
            id="model",
            name="Model",
            category="model",
            current_value=current,
            options=[OptionValue(value=value, name=name) for value, name in names.items()],
        ),
        ConfigOption(
            id="sandbox",
            name="Sandbox",
            description="A change starts the interpreters again, without their variables",
            current_value=settings["sandbox"],
            options=_SANDBOXES,
        ),
    ]
