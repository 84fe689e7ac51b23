"""The builtin `tools`: the functions of MCP servers, which the daemon calls."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from inspect import Signature
    from typing import Any, Callable

    from .channel import Channel
    from .display import Displays
    from .interrupts import Interrupts
    from .streams import OutputStream

    Ask = Callable[..., dict[str, Any]]


class ToolError(Exception):
    """A tool has failed, or its server does not answer."""


class ToolResult(str):
    """The text that a tool has answered. `data` is its structured content, or None."""

    data: object = None

    def __repr__(self) -> str:
        return str(self)


class Unset:
    """Stands for an argument that may be left out, in the signature of a function."""

    def __repr__(self) -> str:
        return "..."


class ToolCaller:
    """Sends requests about tools to the daemon, and waits for the answers."""

    def __init__(
        self, channel: Channel, output: OutputStream, interrupts: Interrupts, displays: Displays
    ) -> None:
        self._channel = channel
        self._output = output
        self._interrupts = interrupts
        self.displays = displays

    def ask(self, **request: object) -> dict[str, Any]:
        """Send a request and return the daemon's answer.

        Raises:
            ToolError: the answer is an error, or none can come.
        """
        channel = self._channel
        if channel.is_closed:
            raise ToolError("Tools can be called in the main process only, not in one that forked.")
        import json

        self._output.mark_caller()
        self._output.flush()
        number = channel.request(tool=request)
        try:
            line = channel.wait_for_answer(number, self._interrupts)
        except BaseException:
            channel.send(tool={"cancel": number})
            raise
        answer: dict[str, Any] = json.loads(line or b"{}")
        if notice := answer.get("notice"):
            sys.stdout.write(f"[{notice}]\n")
        if line is None or "error" in answer:
            raise ToolError(answer.get("error", "A tool can be called only while a block runs."))
        return answer


class Tools:
    """The functions of MCP servers. `tools.SERVER` lists those of one; `help` describes each."""

    def __init__(self, caller: ToolCaller) -> None:
        self._caller = caller
        self._servers: dict[str, ServerTools] = {}

    def __getattr__(self, name: str) -> ServerTools:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._servers:
            names = dir(self)
            if name not in names:
                known = ", ".join(names) or "none"
                raise AttributeError(f"there is no MCP server {name!r}; there are: {known}")
            self._servers[name] = ServerTools(name, self._caller)
        return self._servers[name]

    def __dir__(self) -> list[str]:
        return sorted(self._caller.ask(servers=True)["servers"])

    def __repr__(self) -> str:
        servers = self._caller.ask(servers=True)["servers"]
        lines = [f"tools.{name}: {about}" for name, about in servers.items()]
        return "\n".join(["MCP servers; show one to see its functions.", *lines])


class ServerTools:
    """One MCP server: its tools are functions."""

    def __init__(self, name: str, caller: ToolCaller) -> None:
        self._name = name
        self._caller = caller

    def _functions(self) -> dict[str, Function]:
        """Return the functions by the names that they have in Python."""
        listed = self._caller.ask(functions=self._name)["functions"]
        return {each["python"]: Function(self._name, each, self._caller) for each in listed}

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_"):
            raise AttributeError(name)
        functions = self._functions()
        if name not in functions:
            known = ", ".join(functions) or "none"
            raise AttributeError(f"tools.{self._name} has no function {name!r}; there are: {known}")
        return functions[name]

    def __dir__(self) -> list[str]:
        return list(self._functions())

    def __repr__(self) -> str:
        lines = [f"MCP server {self._name}:"]
        for name, function in self._functions().items():
            about = (function.__doc__ or "").strip().partition("\n")[0]
            lines.append(f"tools.{self._name}.{name}{function.__signature__}: {about}")
        return "\n".join(lines)


class Function:
    """One tool. Its arguments are those of the tool, by their names or in their order."""

    def __init__(self, server: str, described: dict[str, Any], caller: ToolCaller) -> None:
        self._server = server
        self._tool = described["name"]
        self._caller = caller
        self._parameters: dict[str, Any] = described["parameters"]
        self.__name__ = described["python"]
        self.__qualname__ = f"{server}.{self.__name__}"
        self.__module__ = "tools"
        self.__doc__ = self._documentation(described["description"])

    def __call__(self, *values: object, **arguments: object) -> ToolResult:
        """Call the tool, show its pictures, and return its text.

        Raises:
            ToolError: the tool has failed, or its server does not answer.
        """
        names = list(self._parameters.get("properties", ()))
        if len(values) > len(names):
            raise TypeError(f"{self.__name__} takes {len(names)} arguments, got {len(values)}")
        for name, value in zip(names, values):
            if name in arguments:
                raise TypeError(f"{self.__name__} got the argument {name!r} twice")
            arguments[name] = value
        answer = self._caller.ask(call=self._tool, server=self._server, arguments=_plain(arguments))
        for bundle in answer["displays"]:
            self._caller.displays.publish(bundle)
        result = ToolResult(answer["text"])
        result.data = answer["data"]
        return result

    @property
    def __signature__(self) -> Signature:
        """The arguments, for `help`. Those that may be left out have `...` as their default."""
        from inspect import Parameter, Signature

        required = self._parameters.get("required", ())
        names = [name for name in self._parameters.get("properties", ()) if name.isidentifier()]
        ordered = sorted(names, key=lambda name: name not in required)
        kind = Parameter.POSITIONAL_OR_KEYWORD if ordered == names else Parameter.KEYWORD_ONLY
        parameters = [
            Parameter(name, kind, default=Parameter.empty if name in required else Unset())
            for name in ordered
        ]
        return Signature(parameters)

    def _documentation(self, description: str) -> str:
        """Return the description, and a line about each argument."""
        lines = [description, ""] if description else []
        for name, schema in self._parameters.get("properties", {}).items():
            about = schema if isinstance(schema, dict) else {}
            kind = about.get("type") or ("one of several" if "anyOf" in about else "any")
            choices = f", one of {about['enum']}" if "enum" in about else ""
            lines.append(f"{name} ({kind}{choices}): {about.get('description', '')}".rstrip(": "))
        return "\n".join(lines).strip()

    def __repr__(self) -> str:
        return f"<tool {self._server}.{self.__name__}{self.__signature__}>\n{self.__doc__}"


def _plain(value: object) -> object:
    """Return the value with arrays and the like, which can become lists and numbers, as these."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in value]
    as_list = getattr(value, "tolist", None)
    return value if as_list is None else as_list()
