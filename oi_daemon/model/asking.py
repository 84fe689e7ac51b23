"""One request: what is sent, and what is changed about it when it fails."""

import asyncio
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oi_daemon.messages import Message
from oi_daemon.model import pictures, window
from oi_daemon.model.dialects.requests import (
    ToolStyle,
    system_message,
    tool_parameters,
    wire_messages,
)
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.failures import Failure
from oi_daemon.model.learned import Learned
from oi_daemon.model.local.compact import compact_messages
from oi_daemon.model.prices import context_window
from oi_daemon.model.tokens import estimate, tokenizer
from oi_daemon.settings import Settings

logger = logging.getLogger(__package__)

MARGIN = 160
"""Tokens kept free for the definition of `execute` and what servers add."""


class Asking:
    """A request and its further tries, each mended by what the failure before it said."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        learned: Learned,
        *,
        languages: Sequence[str],
        delays: Sequence[float],
    ) -> None:
        self._settings = settings
        self.endpoint = endpoint
        self._learned = learned
        self._languages = languages
        self._delays = list(delays)
        self._scale = 1.0
        self._trimmed = False
        self._has_pictures = False

    @property
    def style(self) -> ToolStyle:
        if self.endpoint.compact:
            return "markdown"
        if self._settings.tool_style != "auto":
            return self._settings.tool_style
        return self._learned.style or "tools"

    @property
    def _sees(self) -> bool:
        """Whether the model is sent pictures."""
        if self.endpoint.compact or self._settings.vision == "off":
            return False
        guess = pictures.can_see(self.endpoint.model) and not self._learned.blind
        return guess or self._settings.vision == "on"

    async def payload(self, messages: Sequence[Message]) -> dict[str, Any]:
        """The request's parameters."""
        parameters = {
            "model": self.endpoint.model,
            "messages": await self._wire(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            **tool_parameters(self.style, self._languages),
            **self._sampling(),
        }
        dropped = self._learned.dropped
        wanted = {name: value for name, value in parameters.items() if name not in dropped}
        return wanted | dict(self.endpoint.extra_body)

    async def mend(self, failed: Failure) -> bool:
        """Change the request, or wait, so that it can be tried again; False if it can't."""
        if failed.overflow:
            return self._trim_more(failed)
        if failed.rejects_pictures and self._has_pictures and self._settings.vision == "auto":
            self._learned.blind = True
            logger.debug("%s goes without pictures", self.endpoint.model)
            return True
        if failed.rejects_calls and self._settings.tool_style == "auto" and self.style == "tools":
            self._learned.style = "markdown"
            logger.debug("no tools: %s goes on in Markdown", self.endpoint.model)
            return True
        rejected = failed.rejected_parameter
        if rejected and rejected not in self._learned.dropped:
            self._learned.dropped.add(rejected)
            logger.debug("%s goes without %s", self.endpoint.model, rejected)
            return True
        if failed.temporary and self._delays:
            await self._wait(failed)
            return True
        return False

    async def _wire(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        settings, style = self._settings, self.style
        cwd = settings.cwd or str(Path.cwd())
        system = system_message(settings.system_message, style, self._languages, cwd)
        sent = pictures.newest(messages) if self._sees else []
        self._has_pictures = bool(sent)
        taken = estimate(system) + MARGIN + len(sent) * pictures.TOKENS
        kept = await self._fit(messages, taken)
        if self.endpoint.compact:
            return [*compact_messages(kept, settings.system_message)]
        return wire_messages(system, kept, style, sent)

    async def _fit(self, messages: Sequence[Message], taken: int) -> Sequence[Message]:
        settings = self._settings
        room = window.room_for(self._window(), settings.max_tokens) - taken
        room = max(int(room * self._scale), window.SMALLEST_ROOM)
        if window.fits(messages, room, settings.max_output):
            return messages
        return await asyncio.to_thread(
            window.fit,
            messages,
            room=room,
            max_output=settings.max_output,
            tokenizer=tokenizer(self.endpoint.model),
        )

    def _window(self) -> int:
        endpoint, settings = self.endpoint, self._settings
        known = (
            settings.context_window
            or endpoint.context_window
            or context_window(endpoint.model)
            or (window.LOCAL_WINDOW if settings.local else window.DEFAULT_WINDOW)
        )
        return min(known, self._learned.window or known)

    def _sampling(self) -> dict[str, Any]:
        """Models that think first take `max_completion_tokens`, and no `temperature` of ours."""
        settings, thinks = self._settings, thinks_first(self.endpoint.model)
        parameters: dict[str, Any] = {} if thinks else {"temperature": settings.temperature}
        if settings.max_tokens is not None:
            renamed = thinks or "max_tokens" in self._learned.dropped
            name = "max_completion_tokens" if renamed else "max_tokens"
            parameters[name] = settings.max_tokens
        return parameters

    def _trim_more(self, failed: Failure) -> bool:
        """Go by the window that the server states; if that is no news, take half of it."""
        if self._trimmed:
            return False
        self._trimmed = True
        stated, before = failed.stated_window, self._window()
        if stated and stated < before:
            self._learned.window = max(stated, window.SMALLEST_ROOM)
        else:
            self._scale = 0.5
        return True

    async def _wait(self, failed: Failure) -> None:
        delay = self._delays.pop(0)
        seconds = delay if failed.retry_after is None else failed.retry_after
        logger.warning("%s. Trying again in %g s.", _reason(failed), seconds)
        await asyncio.sleep(seconds)


def _reason(failed: Failure) -> str:
    """Why a request is tried again, in words."""
    text = failed.text.rstrip(". ")
    match failed.status:
        case None:
            return text
        case 429:
            return f"Rate limited (HTTP 429: {text})"
        case status:
            return f"The server failed (HTTP {status}: {text})"


def thinks_first(model: str) -> bool:
    """A reasoning model of OpenAI's, by its name."""
    return _REASONING.match(model.lower()) is not None


_REASONING = re.compile(r"(?:.*/)?(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)")
