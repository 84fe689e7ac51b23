"""The arguments of one call of `execute`, as chunks while they are written."""

import json
import re
from enum import Enum, auto

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk
from oi_daemon.model.dialects.json_strings import JSONStrings, join_surrogates

DEFAULT_LANGUAGE = "python"


class _Form(Enum):
    """What a model writes where `{"language": ..., "code": ...}` was asked for."""

    UNKNOWN = auto()
    JSON = auto()
    PLAIN = auto()
    """Nothing but the code."""
    WHOLE = auto()
    """Something else, such as a fence around it: understood at its end."""


class ArgumentParser:
    """Chunks of one call. The code streams as soon as its language is known.

    At the end the arguments are parsed once as a whole, and that is what `Executing` holds.
    """

    def __init__(self, language: str | None = None) -> None:
        """
        Args:
            language: known already, because the call named it in place of `execute`.
        """
        self._expected = language
        self._language: str | None = None
        self._raw: list[str] = []
        self._form = _Form.UNKNOWN
        self._strings = JSONStrings()
        self._name: list[str] = []
        self._code: list[str] = []

    @property
    def closed(self) -> bool:
        """The arguments are a complete object: more can't belong to this call."""
        return self._strings.closed

    def feed(self, delta: str) -> list[LanguageChunk | CodeChunk]:
        self._raw.append(delta)
        if self._form is _Form.UNKNOWN:
            self._form = _form(delta)
            delta = "".join(self._raw)  # white space may have come before
        match self._form:
            case _Form.JSON:
                return self._feed_json(delta)
            case _Form.PLAIN:
                return self._write(delta, self._expected or DEFAULT_LANGUAGE)
            case _:
                return []

    def flush(self) -> list[LanguageChunk | CodeChunk | Executing]:
        """The rest of the code, and the whole of it; nothing if there is no code."""
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
        """Code waits until its language is known."""
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
        """Language and code of the arguments as a whole; None for what is not there."""
        raw = "".join(self._raw)
        if self._form is _Form.PLAIN or not raw.strip():
            return None, raw if raw.strip() else None
        fence = _FENCE.fullmatch(raw.strip())
        word, body = (fence[1].lower(), fence[2]) if fence else ("", raw)
        try:
            value = json.loads(body, strict=False)
        except ValueError:
            streamed = "".join(self._code)
            return (None, streamed) if streamed else (_named(word), body)
        return self._understood(value, body)

    def _understood(self, value: object, body: str) -> tuple[str | None, str | None]:
        if isinstance(value, str):
            return None, join_surrogates(value)
        if isinstance(value, dict) and isinstance(value.get("code"), str):
            language = value.get("language")
            name = _named(language) if isinstance(language, str) else None
            return name, join_surrogates(value["code"])
        return None, body if self._expected else None


def _form(start: str) -> _Form:
    first = start.lstrip()[:1]
    if not first:
        return _Form.UNKNOWN
    return {"{": _Form.JSON, "`": _Form.WHOLE, '"': _Form.WHOLE}.get(first, _Form.PLAIN)


def _named(language: str) -> str | None:
    return language.strip().lower() or None


_FENCE = re.compile(r"```[ \t]*([\w+#-]*)[ \t]*\n(.*?)\n?```", re.DOTALL)
