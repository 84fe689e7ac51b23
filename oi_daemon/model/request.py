"""One request to a model: what it says, and how it changes after a failure."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from oi_daemon.messages import Executing, Message, UserMessage
from oi_daemon.model import compaction, functions, pictures, trimming
from oi_daemon.model.apis import Api, first_api
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.context_window import SMALLEST_WINDOW, context_window, room_for_input
from oi_daemon.model.dialects.instructions import ToolStyle, personal, system_message
from oi_daemon.model.dialects.parts import MalformedCall
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.environment import Environment, described, described_in_brief
from oi_daemon.model.failures import Failure
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.local.compact import has_run
from oi_daemon.model.local.folder_facts import folder_facts
from oi_daemon.model.repeats import with_advice
from oi_daemon.model.tokens import estimate, tokenizer
from oi_daemon.settings import Settings

_CHOSEN: Mapping[str, Sequence[object]] = {
    "temperature": (None,),
    "reasoning_effort": ("default",),
    "verbosity": ("default",),
    "service_tier": ("auto",),
}
"""Parameters that are settings, with the values that mean that the user has not chosen one."""

logger = logging.getLogger(__package__)

RESERVED = 160
"""Tokens kept free for the definition of `execute` and for what servers add themselves."""


class ModelRequest:
    """A request and its retries. `adjust` changes it by what the latest failure said."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        capabilities: Capabilities,
        *,
        environment: Environment,
        languages: Sequence[str],
        retry_delays: Sequence[float],
    ) -> None:
        """
        Args:
            environment: see `Models.model`.
            retry_delays: seconds to wait before each retry that a temporary failure causes.
        """
        self._settings = settings
        self.endpoint = endpoint
        self._capabilities = capabilities
        self._environment = environment
        self._languages = languages
        self._retry_delays = list(retry_delays)
        self.is_brief = False
        """Whether the model is told no more about the environment than it needs to run code."""
        self._scale = 1.0
        """The share of the context window that is used."""
        self._shortened = False
        """Whether the server has already refused the conversation once as too long."""
        self._switches = 0
        """Number of changes from one API to the other."""
        self._facts: str | None = None
        """What a small model is told about the folder; None until it was looked at."""
        self._has_pictures = False
        """Whether the latest request held pictures."""
        self._dropped: str | None = None
        """The user's setting that was taken out of the request and not reported yet."""

    @property
    def api(self) -> Api:
        """The API by which the model is asked."""
        if self.endpoint.is_small or self.endpoint.relay:
            return "chat"
        if self._settings.api != "auto":
            return self._settings.api
        return self._capabilities.api or first_api(self.endpoint)

    @property
    def style(self) -> ToolStyle:
        """How the model is asked to write code."""
        if self.endpoint.is_small or not self.endpoint.takes_tools:
            return "markdown"
        if self._settings.tool_style != "auto":
            return self._settings.tool_style
        return self._capabilities.tool_style or "tools"

    async def content(
        self, messages: Sequence[Message], malformed: Sequence[MalformedCall]
    ) -> RequestContent:
        """Return what the request says about this conversation, trimmed to what fits.

        Args:
            malformed: calls of the reply before that could not be read.
        """
        style, covered = self.style, len(messages)
        seen = compaction.visible(messages, self._reader)
        seen = replace(seen, rest=with_advice(seen.rest))
        system = self._system()
        sent = pictures.newest(seen.rest) if self._sends_pictures else []
        self._has_pictures = bool(sent)
        room = self._room(system, len(sent))
        trimmed = await self._trimmed(seen.rest, max(room - seen.tokens(), SMALLEST_WINDOW))
        kept = compaction.with_note(trimmed.messages, trimmed.left_out)
        return RequestContent(
            settings=self._settings,
            endpoint=self.endpoint,
            capabilities=self._capabilities,
            style=style,
            system=system,
            messages=replace(seen, rest=kept).messages(),
            environment=self._environment,
            folder_facts=await self._folder_facts(messages),
            compact_threshold=self._compact_threshold(seen.messages()),
            covered=covered,
            left_out=trimmed.left_out,
            pictures=sent,
            languages=self._languages,
            functions=self._functions,
            malformed=malformed,
        )

    def summary_content(self, piece: str, so_far: str) -> RequestContent:
        """Return what a request for a summary says. See `compaction.request_text`."""
        return RequestContent(
            settings=self._settings,
            endpoint=self.endpoint,
            capabilities=self._capabilities,
            style="markdown",
            system=compaction.INSTRUCTIONS,
            messages=[UserMessage(compaction.request_text(piece, so_far))],
            pictures=(),
            languages=(),
            environment=self._environment,
        )

    async def plan_compaction(
        self, messages: Sequence[Message], *, forced: bool = False
    ) -> compaction.Plan | None:
        """Return how to summarise the conversation's oldest part; None if that is not needed.

        A small model on this machine is not asked to, because it is slow and summarises badly.
        In a very small window a summary would take most of the room. A server that summarises by
        itself does so before the room is full.

        Args:
            forced: whether it is wanted however much room is left.
        """
        if self.endpoint.is_small:
            return None
        room, settings = self._room(self._system(), 0), self._settings
        seen = compaction.visible(messages, self._reader).messages()
        limit = room if self._server_summarises else int(room * compaction.FULL)
        if not forced and self.window < compaction.SMALLEST_WINDOW:
            return None
        if not forced and trimming.surely_fits(seen, limit, settings.max_output):
            return None
        counter = tokenizer(self.endpoint.model)

        def planned() -> compaction.Plan | None:
            used = sum(trimming.sizes_of(seen, settings.max_output, counter))
            if used <= limit and not forced:
                return None
            kept = min(int(room * compaction.KEPT), used // 3 if forced else room)
            return compaction.plan(
                messages,
                room=room,
                kept=kept,
                max_output=settings.max_output,
                tokenizer=counter,
            )

        return await asyncio.to_thread(planned)

    def is_repeat(self, part: object, messages: Sequence[Message]) -> bool:
        """Return whether this is a block of a small model that has run in this turn already."""
        if not (isinstance(part, Executing) and self.endpoint.is_small):
            return False
        return has_run(part.code, messages)

    async def _folder_facts(self, messages: Sequence[Message]) -> str:
        """Return what a small model is told about the folder, the same for all of a turn."""
        if not self.endpoint.is_small:
            return ""
        if self._facts is None:
            asked = (m.message for m in reversed(messages) if isinstance(m, UserMessage))
            look = partial(folder_facts, self._environment.cwd, next(asked, ""))
            self._facts = await asyncio.to_thread(look)
        return self._facts

    def _system(self) -> str:
        """Return the system message."""
        return system_message(
            personal(self._settings),
            self.style,
            self._languages,
            self._described(),
            custom_tools=self.api == "responses" and self._capabilities.accepts_custom_tools,
        )

    def _described(self) -> str:
        """Return what the model is told about where its code runs."""
        if self.is_brief:
            return described_in_brief(self._environment)
        environment, are_tools = self._environment, self.style != "markdown"
        tools = functions.described(
            environment.functions, environment.unavailable, are_tools=are_tools
        )
        return "\n\n".join(filter(None, [described(environment, self._settings), tools]))

    @property
    def _functions(self) -> Sequence[ToolFunction]:
        """The functions that the model may call beside `execute`."""
        small = self.is_brief or self.endpoint.is_small
        return () if small else functions.offered(self._environment.functions)

    def _room(self, system: str, pictures_sent: int) -> int:
        """Return the tokens that messages may have beside the instructions and the pictures."""
        definitions = "".join(str(functions.definition(each)) for each in self._functions)
        reserved = (
            estimate(system) + estimate(definitions) + RESERVED + pictures_sent * pictures.TOKENS
        )
        room = room_for_input(self.window, self._settings.max_tokens) - reserved
        return max(int(room * self._scale), SMALLEST_WINDOW)

    def adjust(self, failed: Failure) -> float | None:
        """Change the request so that it can be sent again; return the seconds to wait before.

        None if another try is of no use.
        """
        settings, capabilities = self._settings, self._capabilities
        if self._switch_api(failed):
            return 0.0
        if failed.overflows:
            return 0.0 if self._shorten(failed) else None
        if failed.rejects_pictures and self._has_pictures and settings.vision == "auto":
            capabilities.accepts_pictures = False
            logger.debug("%s is asked again without pictures", self.endpoint.model)
            return 0.0
        if failed.rejects_effort and capabilities.effort != "none":
            capabilities.effort = "none"
            logger.debug("%s takes tools only without reasoning", self.endpoint.model)
            return 0.0
        if failed.misses_signature and not capabilities.wants_signatures:
            capabilities.wants_signatures = True
            logger.debug("%s wants signatures: it is asked again with them", self.endpoint.model)
            return 0.0
        if failed.rejects_provider_data and capabilities.accepts_provider_data:
            capabilities.accepts_provider_data = False
            logger.debug("%s is asked again without its own data", self.endpoint.model)
            return 0.0
        if self._drop(failed.rejected_parameter):
            return 0.0
        if failed.rejects_calls and self._change_tools():
            return 0.0
        if failed.is_temporary and self._retry_delays:
            delay = self._retry_delays.pop(0)
            seconds = delay if failed.retry_after is None else failed.retry_after
            # a notice tells the person
            logger.info("%s Trying again in %g s.", retry_reason(failed), seconds)
            return seconds
        return None

    def _drop(self, name: str | None) -> bool:
        """Leave a parameter out from now on; return False if it was left out before, or is None."""
        if name is None or name in self._capabilities.rejected_parameters:
            return False
        self._capabilities.rejected_parameters.add(name)
        logger.debug("%s is asked again without %s", self.endpoint.model, name)
        if name in _CHOSEN and getattr(self._settings, name) not in _CHOSEN[name]:
            self._dropped = name
        return True

    def dropped_setting(self) -> str | None:
        """Return the setting of the user that the latest `adjust` took out of the request.

        None if it took none. It is returned once.
        """
        dropped, self._dropped = self._dropped, None
        return dropped

    def _change_tools(self) -> bool:
        """Ask for code in a simpler way from now on. Return whether there is one."""
        capabilities = self._capabilities
        if self.style == "tools" and self.api == "responses" and capabilities.accepts_custom_tools:
            capabilities.accepts_custom_tools = False
            logger.debug("%s takes no custom tools: it is asked again", self.endpoint.model)
            return True
        if self.style == "tools" and self._settings.tool_style == "auto":
            capabilities.tool_style = "markdown"
            logger.debug("%s takes no tools: it is asked again in Markdown", self.endpoint.model)
            return True
        return False

    def _switch_api(self, failed: Failure) -> bool:
        """Use the other API from now on if the server asks for it. Return whether it did.

        That happens at most once to and once back, because a server may refuse both.
        """
        api: Api
        if self._settings.api != "auto" or self._switches > 1:
            return False
        if self.api == "chat" and failed.wants_responses:
            api = "responses"
        elif self.api == "responses" and failed.lacks_responses:
            api = "chat"
        else:
            return False
        self._switches += 1
        self._capabilities.api = api
        logger.debug("%s is asked again by the API %s", self.endpoint.model, api)
        return True

    @property
    def _sends_pictures(self) -> bool:
        """Whether the request includes the conversation's pictures."""
        if self.endpoint.is_small or self._settings.vision == "off":
            return False
        if self._settings.vision == "on":
            return True
        sees = self.endpoint.takes_pictures
        if sees is None:
            sees = pictures.can_see(self.endpoint.model)
        return sees and self._capabilities.accepts_pictures

    @property
    def _server_summarises(self) -> bool:
        """Whether the server is asked to summarise by itself a conversation that fills the room."""
        return (
            self._reader is not None
            and "context_management" not in self._capabilities.rejected_parameters
            and self.window >= compaction.SMALLEST_WINDOW
        )

    @property
    def _reader(self) -> Endpoint | None:
        """The endpoint, if it gets back the summaries that it has made."""
        reads = self.api == "responses" and self._capabilities.accepts_provider_data
        return self.endpoint if reads else None

    def _compact_threshold(self, messages: Sequence[Message]) -> int | None:
        """Return the tokens from which on the server should summarise the conversation.

        None if it should not, or if the conversation is surely too short for that.
        """
        limit = int(room_for_input(self.window, self._settings.max_tokens) * compaction.FULL)
        if not self._server_summarises:
            return None
        short = trimming.surely_fits(messages, limit, self._settings.max_output)
        return None if short else limit

    async def _trimmed(self, messages: Sequence[Message], room: int) -> trimming.Trimmed:
        """Return the messages that fit into the room, the oldest left out first."""
        settings = self._settings
        if trimming.surely_fits(messages, room, settings.max_output):
            return trimming.Trimmed(messages, 0)
        return await asyncio.to_thread(
            trimming.trim,
            messages,
            room=room,
            max_output=settings.max_output,
            tokenizer=tokenizer(self.endpoint.model),
        )

    @property
    def window(self) -> int:
        """Tokens of the model's context window, as far as is known."""
        return context_window(self._settings, self.endpoint, self._capabilities)

    def _shorten(self, failed: Failure) -> bool:
        """Use the window that the server states or, if that is not smaller, half of the window.

        Return False the second time, because the conversation cannot be made to fit.
        """
        if self._shortened:
            return False
        self._shortened = True
        stated, before = failed.stated_window, self.window
        if stated and stated < before:
            self._capabilities.context_window = max(stated, SMALLEST_WINDOW)
        else:
            self._scale = 0.5
        return True


def retry_reason(failed: Failure) -> str:
    """Return in words why a request is sent again."""
    text = failed.text.rstrip(". ")
    match failed.status:
        case None:
            reason = text
        case 429:
            reason = f"Rate limited (HTTP 429: {text})"
        case status:
            reason = f"The server failed (HTTP {status}: {text})"
    return f"{reason}."
