"""The arguments of one call of a tool's function, as a block of Python that calls it."""

import json
from io import StringIO

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk
from oi_daemon.model.dialects.arguments import MalformedCallError
from oi_daemon.model.dialects.json_strings import JSONStrings, join_surrogates
from oi_daemon.model.functions import ToolFunction

LANGUAGE = "python"


class FunctionArguments:
    """Takes the place of `ArgumentParser`. Nothing streams, because the code is not the text."""

    def __init__(self, function: ToolFunction) -> None:
        self._function = function
        self._raw = StringIO()
        self._strings = JSONStrings()

    @property
    def is_closed(self) -> bool:
        """See `ArgumentParser.is_closed`."""
        return self._strings.is_closed

    @property
    def raw(self) -> str:
        """See `ArgumentParser.raw`."""
        return self._raw.getvalue()

    def feed(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        """See `ArgumentParser.feed`. Returns nothing."""
        self._raw.write(delta)
        self._strings.feed(delta)
        return []

    def flush(self) -> list[LanguageChunk | CodeChunk | Executing]:
        """Return the whole block. See `ArgumentParser.flush`."""
        try:
            arguments = json.loads(self.raw.strip() or "{}", strict=False)
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            raise MalformedCallError(f"they are not valid JSON ({reason})") from None
        if not isinstance(arguments, dict):
            raise MalformedCallError("they are not a JSON object")
        code = join_surrogates(self._function.code(arguments))
        return [LanguageChunk(LANGUAGE), CodeChunk(code), Executing(code, LANGUAGE)]
