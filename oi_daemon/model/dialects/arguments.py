"""The arguments of one call of `execute`, as chunks of code while they stream."""

import json
import re
from enum import Enum, auto
from io import StringIO

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk
from oi_daemon.messages.text import without_controls
from oi_daemon.model.dialects.json_strings import JSONStrings, join_surrogates

DEFAULT_LANGUAGE = "python"
"""Language of a call that names none."""
LONGEST_LANGUAGE = 40
"""Characters of a language's name that are kept."""


class _ArgumentForm(Enum):
    """What a model writes where `{"language": ..., "code": ...}` was asked for."""

    UNKNOWN = auto()
    """Nothing but white space so far."""
    JSON = auto()
    """An object, as asked for: its code streams."""
    PLAIN = auto()
    """The code itself, which is accepted from a call that is named after a language: it streams."""
    WHOLE = auto()
    """Something else, such as a fence around the object: parsed once it is complete."""


class MalformedCallError(Exception):
    """The arguments of a call cannot be read, so nothing of it may run. The text says why."""


class ArgumentParser:
    """Turns the arguments of one call into chunks. Code streams once its language is known.

    At the end the arguments are parsed as a whole, and `Executing` holds the code of that. What
    cannot be parsed never runs, because it may be only a part of what the model meant.
    """

    def __init__(self, language: str | None = None) -> None:
        """
        Args:
            language: the language, if the model called it by name in place of `execute`.
        """
        self._expected = language
        self._language: str | None = None
        """The language of the chunks; None until one was returned."""
        self._raw = StringIO()
        """The arguments so far."""
        self._form = _ArgumentForm.UNKNOWN
        self._strings = JSONStrings()
        self._name = StringIO()
        """The value of the argument `language` so far."""
        self._code = StringIO()
        """Code that waits for its language."""
        self._saw_code = False
        """Whether the arguments began as an object with the key `code`."""

    @property
    def is_closed(self) -> bool:
        """Whether the arguments are a complete object, so that more cannot belong to this call."""
        return self._strings.is_closed

    def feed(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        """Return the chunks that this delta of the arguments adds."""
        self._raw.write(delta)
        if self._form is _ArgumentForm.UNKNOWN:
            self._form = self._form_of(delta)
            delta = self._raw.getvalue()  # because white space may have come before
        match self._form:
            case _ArgumentForm.JSON:
                return self._feed_json(delta)
            case _ArgumentForm.PLAIN:
                return self._write(delta, self._expected)
            case _:
                return []

    @property
    def raw(self) -> str:
        """The arguments so far, as the model wrote them."""
        return self._raw.getvalue()

    def flush(self) -> list[LanguageChunk | CodeChunk | Executing]:
        """Return the end of the call: what was not streamed, and `Executing` with all of the code.

        Raises:
            MalformedCallError: the arguments are not what was asked for.
        """
        language, code = self._whole()
        chunks: list[LanguageChunk | CodeChunk | Executing] = []
        if self._language is None:
            self._code = StringIO()
            chunks += self._write(code, self._expected or language or DEFAULT_LANGUAGE)
        return [*chunks, Executing(code, self._language or DEFAULT_LANGUAGE)]

    def _feed_json(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        """Return the chunks that this delta of a JSON object adds."""
        chunks: list[LanguageChunk | CodeChunk] = []
        for key, text, ended in self._strings.feed(delta):
            if key == "code":
                self._saw_code = True
                chunks += self._write(text, self._language or self._expected)
            elif key == "language" and self._language is None:
                self._name.write(text)
                if ended:
                    chunks += self._write("", self._expected or _named(self._name.getvalue()))
        return chunks

    def _write(self, text: str, language: str | None) -> list[LanguageChunk | CodeChunk]:
        """Return this code as chunks; keep it for later if the language is not known yet."""
        if language is None:
            self._code.write(text)
            return []
        chunks: list[LanguageChunk | CodeChunk] = []
        if self._language is None:
            self._language = language
            chunks.append(LanguageChunk(language))
            text = self._code.getvalue() + text
        if text:
            chunks.append(CodeChunk(text))
        return chunks

    def _whole(self) -> tuple[str | None, str]:
        """Return language and code of the complete arguments; None for an unnamed language.

        Raises:
            MalformedCallError: the arguments are not what was asked for.
        """
        raw = self.raw
        fence = _FENCE.fullmatch(raw.strip())
        body = fence[1] if fence else raw
        try:
            value = json.loads(body, strict=False)
        except (ValueError, RecursionError) as error:
            if self._expected and not self._saw_code and raw.strip():
                return None, fence[1] if fence else raw
            reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            raise MalformedCallError(f"they are not valid JSON ({reason})") from None
        if isinstance(value, dict) and isinstance(value.get("code"), str):
            language = value.get("language")
            name = _named(language) if isinstance(language, str) else None
            return name, join_surrogates(value["code"])
        if self._expected:
            return None, body
        raise MalformedCallError("they are not a JSON object with the text `code`")

    def _form_of(self, start: str) -> _ArgumentForm:
        """Return the form of arguments that begin like this."""
        first = start.lstrip()[:1]
        if not first:
            return _ArgumentForm.UNKNOWN
        if first == "{":
            return _ArgumentForm.JSON
        plain = self._expected is not None and first not in '`"'
        return _ArgumentForm.PLAIN if plain else _ArgumentForm.WHOLE


def _named(language: str) -> str | None:
    """Return the language's name in its usual spelling; None if it is empty."""
    return without_controls(language).strip().lower()[:LONGEST_LANGUAGE] or None


_FENCE = re.compile(r"```[ \t]*[\w+#-]*[ \t]*\n(.*?)\n?```", re.DOTALL)
"""A Markdown fence around the arguments."""
