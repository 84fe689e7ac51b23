"""A model on a scripted server, for tests of what is sent and what is yielded."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from oi_daemon.conversation.collaborators import Reply
from oi_daemon.messages import Message, MessageChunk, UserMessage
from oi_daemon.model.models import Models
from oi_daemon.settings import Settings
from tests.fakes.openai_server import ScriptedServer

KEY = "sk-proj-0123456789abcdefSECRET"
QUESTION: list[Message] = [UserMessage("What's 34/24?")]

SPOKEN: dict[str, Any] = {"languages": ["python"], "is_language": {"python"}.__contains__}


@dataclass
class Asked:
    """A model on a scripted server, and what came of asking it."""

    server: ScriptedServer
    models: Models
    parts: list[Reply] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    """Settings of all requests."""

    def settings(self, **changes: Any) -> Settings:
        return Settings(
            **{"api_base": self.server.url, "api_key": KEY, "cwd": "/home/x"}
            | self.changes
            | changes
        )

    async def reply(self, messages: list[Message] | None = None, **changes: Any) -> list[Reply]:
        """All of one reply; `parts` holds them even if it fails."""
        settings = self.settings(**changes)
        model = self.models.model(settings)
        self.parts = []

        def dollars_left() -> float | None:
            return settings.max_budget

        async with aclosing(model.reply(messages or QUESTION, dollars_left)) as reply:
            async for part in reply:
                self.parts.append(part)
        return self.parts

    @property
    def message(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, MessageChunk))

    @property
    def body(self) -> dict[str, Any]:
        return self.server.bodies[-1]
