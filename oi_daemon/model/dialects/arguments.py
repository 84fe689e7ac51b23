"""The arguments of one call of `execute`, as chunks of code while they stream."""

import json
import re
from enum import Enum, auto

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk
from oi_daemon.model.dialects.json_strings import JSONStrings, join_surrogates

DEFAULT_LANGUAGE = "python"
"""Language of a call that names none."""


class _ArgumentForm(Enum):
    """What a model writes where `{"language": ..., "code": ...}` was asked for."""

    UNKNOWN = auto()
    """Nothing but white space so far."""
    JSON = auto()
    """An object, as asked for: its code streams."""
    PLAIN = auto()
    """The code itself: it streams."""
    WHOLE = auto()
    """Something else, such as a fence around the code: parsed once it is complete."""


class ArgumentParser:
    """Turns the arguments of one call into chunks. Code streams once its language is known.

    At the end the arguments are parsed as a whole, and `Executing` holds the code of that.
    """

    def __init__(self, language: str | None = None) -> None:
        """
        Args:
            language: the language, if the model called it by name in place of `execute`.
        """
        self._expected = language
        self._language: str | None = None
        """The language of the chunks; None until one was returned."""
        self._raw: list[str] = []
        """The arguments so far."""
        self._form = _ArgumentForm.UNKNOWN
        self._strings = JSONStrings()
        self._name: list[str] = []
        """The value of the argument `language` so far."""
        self._code: list[str] = []
        """The code so far."""

    @property
    def closed(self) -> bool:
        """Whether the arguments are a complete object, so that more cannot belong to this call."""
        return self._strings.closed

    def feed(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        """Return the chunks that this delta of the arguments adds."""
        self._raw.append(delta)
        if self._form is _ArgumentForm.UNKNOWN:
            self._form = _form(delta)
            delta = "".join(self._raw)  # because white space may have come before
        match self._form:
            case _ArgumentForm.JSON:
                return self._feed_json(delta)
            case _ArgumentForm.PLAIN:
                return self._write(delta, self._expected or DEFAULT_LANGUAGE)
            case _:
                return []

    def flush(self) -> list[LanguageChunk | CodeChunk | Executing]:
        """Return the end of the call: what was not streamed, and `Executing` with all of the code.

        Nothing if the arguments hold no code.
        """
        language, code = self._whole()
        if code is None:
            return []
        streamed = self._language is not None
        chunks: list[LanguageChunk | CodeChunk | Executing] = []
        if not streamed:
            self._code = []
            chunks += self._write(code, self._expected or language or DEFAULT_LANGUAGE)
        return [*chunks, Executing(code, self._language or DEFAULT_LANGUAGE)]

    def _feed_json(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        """Return the chunks that this delta of a JSON object adds."""
        chunks: list[LanguageChunk | CodeChunk] = []
        for key, text, ended in self._strings.feed(delta):
            if key == "code":
                chunks += self._write(text, self._language or self._expected)
            elif key == "language" and self._language is None:
                self._name.append(text)
                if ended:
                    chunks += self._write("", self._expected or _named("".join(self._name)))
        return chunks

    def _write(self, text: str, language: str | None) -> list[LanguageChunk | CodeChunk]:
        """Return this code as chunks; keep it for later if the language is not known yet."""
        self._code.append(text)
        if language is None:
            return []
        chunks: list[LanguageChunk | CodeChunk] = []
        if self._language is None:
            self._language = language
            chunks.append(LanguageChunk(language))
            text = "".join(self._code)
        if text:
            chunks.append(CodeChunk(text))
        return chunks

    def _whole(self) -> tuple[str | None, str | None]:
        """Return language and code of the complete arguments; None for what is missing."""
        raw = "".join(self._raw)
        if self._form is _ArgumentForm.PLAIN or not raw.strip():
            return None, raw if raw.strip() else None
        fence = _FENCE.fullmatch(raw.strip())
        word, body = (fence[1].lower(), fence[2]) if fence else ("", raw)
        try:
            value = json.loads(body, strict=False)
        except ValueError:
            streamed = "".join(self._code)
            return (None, streamed) if streamed else (_named(word), body)
        return self._from_json(value, body)

    def _from_json(self, value: object, body: str) -> tuple[str | None, str | None]:
        """Return language and code of a JSON value; `body` is its text."""
        if isinstance(value, str):
            return None, join_surrogates(value)
        if isinstance(value, dict) and isinstance(value.get("code"), str):
            language = value.get("language")
            name = _named(language) if isinstance(language, str) else None
            return name, join_surrogates(value["code"])
        return None, body if self._expected else None


def _form(start: str) -> _ArgumentForm:
    """Return the form of arguments that begin like this."""
    first = start.lstrip()[:1]
    if not first:
        return _ArgumentForm.UNKNOWN
    return {"{": _ArgumentForm.JSON, "`": _ArgumentForm.WHOLE, '"': _ArgumentForm.WHOLE}.get(
        first, _ArgumentForm.PLAIN
    )


def _named(language: str) -> str | None:
    """Return the language's name in its usual spelling; None if it is empty."""
    return language.strip().lower() or None


_FENCE = re.compile(r"```[ \t]*([\w+#-]*)[ \t]*\n(.*?)\n?```", re.DOTALL)
