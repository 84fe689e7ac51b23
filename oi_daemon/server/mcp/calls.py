"""The tools: what each call does. Nothing runs without a yes, or a setting that allows it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from oi_daemon.errors import InvalidError, OIError
from oi_daemon.execution.languages.registry import find_language, runnable
from oi_daemon.protocol.lookups import Variables
from oi_daemon.protocol.methods import (
    Accepted,
    ChunkParams,
    ConversationParams,
    Empty,
    ExecuteParams,
    HistoryListParams,
    HistoryMessages,
    HistoryPage,
    InputParams,
    Interrupted,
    NoParams,
    StatusResult,
    TurnResult,
    VariablesParams,
)
from oi_daemon.server.mcp.block_chunks import BlockChunks
from oi_daemon.server.mcp.contents import run_result, text_result, variables_text
from oi_daemon.server.mcp.exchanges import Exchange
from oi_daemon.server.mcp.questions import (
    Form,
    code_to_run,
    input_form,
    line_of,
    reset_form,
    run_form,
)
from oi_daemon.server.mcp.shapes import (
    NoArguments,
    RunArguments,
    SessionArguments,
    VariablesArguments,
    converted,
)
from oi_daemon.server.peer import PeerGoneError

_MOST_SESSIONS = 50
"""Most sessions that are listed."""


class CalledMethods(Protocol):
    """What the calls need of the wire's methods: see `oi_daemon.server.methods.Methods`."""

    async def execute(self, params: ExecuteParams) -> TurnResult: ...
    async def input(self, params: InputParams) -> Accepted: ...
    async def interrupt(self, params: ConversationParams) -> Interrupted: ...
    async def variables(self, params: VariablesParams) -> Variables: ...
    async def history_list(self, params: HistoryListParams) -> HistoryPage: ...
    async def history_get(self, params: ConversationParams) -> HistoryMessages: ...
    async def history_reset(self, params: ConversationParams) -> Empty: ...
    async def settings_get(self, params: ConversationParams) -> dict[str, Any]: ...
    async def status(self, params: NoParams) -> StatusResult: ...


class HostCalls:
    """Runs the calls of one host."""

    def __init__(self, methods: CalledMethods, feed: BlockChunks, own_session: str) -> None:
        """
        Args:
            feed: what the methods send their chunks to.
            own_session: the session of calls that name none.
        """
        self._methods = methods
        self._feed = feed
        self._own_session = own_session
        self._tools: Mapping[str, Callable[[Any, Exchange], Awaitable[dict[str, Any]]]] = {
            "run_code": self._run_code,
            "variables": self._variables,
            "interrupt": self._interrupt,
            "reset": self._reset,
            "sessions": self._sessions,
        }

    async def call(self, name: str, arguments: Any, exchange: Exchange) -> dict[str, Any]:
        """Call a tool. What it cannot do is a result for the host's model.

        Raises:
            InvalidError: there is no such tool.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise InvalidError(f"name: there is no tool {name!r}")
        try:
            return await tool(arguments, exchange)
        except OIError as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}

    async def _run_code(self, arguments: Any, exchange: Exchange) -> dict[str, Any]:
        given = converted(arguments, RunArguments)
        language = find_language(given.language)
        if language is None or language.missing() is not None:
            known = ", ".join(runnable())
            raise InvalidError(f"{given.language} cannot be run here, but: {known}")
        session = self._session(given.session)
        code: str | None = given.code
        if not await self._is_auto_run(session):
            if not exchange.can_ask and not await self._is_sandboxed(session):
                raise InvalidError(_CANNOT_ASK)
            if exchange.can_ask:
                form = run_form(language.name, given.code, given.session)
                code = code_to_run(await _answer(exchange, form), given.code)
        if code is None:
            data = {"session": session, "status": "declined", "output": ""}
            return text_result(_DECLINED, data, is_error=True)
        return await self._run(session, language.name, code, exchange)

    async def _run(
        self, session: str, language: str, code: str, exchange: Exchange
    ) -> dict[str, Any]:
        """Run the code, and pass on what it writes and asks for meanwhile.

        It runs on when the host is gone, unless the daemon ends with it.
        """
        params = ConversationParams(conversation=session)
        queue = self._feed.begin(session)
        execute = ExecuteParams(language=language, code=code, conversation=session)
        turn = asyncio.create_task(self._methods.execute(execute))
        follow = asyncio.create_task(self._follow(session, queue, exchange))
        try:
            result = await asyncio.shield(turn)
        except asyncio.CancelledError:
            if not turn.done():  # else the turn of another client may run
                await self._methods.interrupt(params)
                await asyncio.wait([turn])
            raise
        finally:
            self._feed.end(session)
            queue.put_nowait(None)
            ended = await follow
        max_output = (await self._methods.settings_get(params))["max_output"]
        message = next((each for each in result.messages if "code" in each), {"code": code})
        if result.status == "interrupted" and ended is None:
            ended = {"status": "interrupted"}
        return run_result(session, message, ended or {}, max_output=max_output)

    async def _follow(
        self, session: str, queue: "asyncio.Queue[ChunkParams | None]", exchange: Exchange
    ) -> Mapping[str, Any] | None:
        """Pass on a block's chunks until the queue holds None. Returns how the block ended."""
        ended: Mapping[str, Any] | None = None
        questions: dict[str, asyncio.Task[None]] = {}
        while (params := await queue.get()) is not None:
            chunk = params.chunk
            if "output" in chunk:
                exchange.progress(chunk["output"])
            elif "input" in chunk and params.input is not None:
                form = input_form(str(chunk["input"]["prompt"]))
                asking = self._input(session, params.input, form, exchange)
                questions[params.input] = asyncio.create_task(asking)
            elif "event" in chunk and (task := questions.get(chunk["event"].get("input"))):
                task.cancel()  # another client has answered
            elif params.result is not None:
                ended = msgspec.to_builtins(params.result)
        for task in questions.values():
            task.cancel()
        return ended

    async def _input(self, session: str, input: str, form: Form, exchange: Exchange) -> None:
        """Ask for a line of input. Without an answer the code gets end of file.

        When the host is gone, another client of the session may answer.
        """
        try:
            line = line_of(await exchange.ask(form))
        except PeerGoneError:
            return
        await self._methods.input(InputParams(conversation=session, input=input, value=line))

    async def _variables(self, arguments: Any, _: Exchange) -> dict[str, Any]:
        given = converted(arguments, VariablesArguments)
        session = self._session(given.session)
        params = VariablesParams(conversation=session, language=given.language)
        found = msgspec.to_builtins(await self._methods.variables(params))
        data = {"session": session, "variables": found["variables"], "more": found["more"]}
        return text_result(variables_text(found["variables"]), data)

    async def _interrupt(self, arguments: Any, _: Exchange) -> dict[str, Any]:
        session = self._session(converted(arguments, SessionArguments).session)
        done = await self._methods.interrupt(ConversationParams(conversation=session))
        words = "Interrupted." if done.interrupted else "Nothing ran."
        return text_result(words, {"session": session, "interrupted": done.interrupted})

    async def _reset(self, arguments: Any, exchange: Exchange) -> dict[str, Any]:
        given = converted(arguments, SessionArguments)
        session = self._session(given.session)
        if not await self._is_auto_run(session):
            if not exchange.can_ask:
                raise InvalidError(_CANNOT_ASK)
            answer = await _answer(exchange, reset_form(given.session))
            if answer is None or answer.get("decision") != "run":
                return text_result(
                    "The user declined.", {"session": session, "reset": False}, is_error=True
                )
        await self._methods.history_reset(ConversationParams(conversation=session))
        return text_result("The session is empty.", {"session": session, "reset": True})

    async def _sessions(self, arguments: Any, _: Exchange) -> dict[str, Any]:
        converted(arguments, NoArguments)
        status = await self._methods.status(NoParams())
        states = {each.conversation: each.state.value for each in status.conversations}
        page = await self._methods.history_list(HistoryListParams(limit=_MOST_SESSIONS))
        sessions: list[dict[str, Any]] = [
            {
                "session": entry.conversation,
                "title": entry.title,
                "updated": entry.updated,
                "messages": entry.messages,
                **({"state": states[entry.conversation]} if entry.conversation in states else {}),
            }
            for entry in page.conversations
        ]
        kept = {each["session"] for each in sessions}
        sessions += [
            {"session": name, "state": state} for name, state in states.items() if name not in kept
        ]
        lines = [
            f"{each['session']}: {each.get('title', '')} ({each.get('state', 'not active')})"
            for each in sessions
        ]
        return text_result("\n".join(lines) or "There are no sessions.", {"sessions": sessions})

    def _session(self, name: str | None) -> str:
        return self._own_session if name is None else name

    async def _is_auto_run(self, session: str) -> bool:
        """Whether both the host and the session may run code unasked.

        In the session alone, it was allowed to another model.
        """
        own, there = await self._settings(session)
        return bool(own["auto_run"] and there["auto_run"])

    async def _is_sandboxed(self, session: str) -> bool:
        """Whether the host's code is kept in a sandbox, also in this session."""
        own, there = await self._settings(session)
        return own["sandbox"] != "none" and there["sandbox"] in (own["sandbox"], "isolated")

    async def _settings(self, session: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings with which a session of the host begins, and this session's."""
        own = await self._methods.settings_get(ConversationParams())
        return own, await self._methods.settings_get(ConversationParams(conversation=session))


async def _answer(exchange: Exchange, form: Form) -> Mapping[str, Any] | None:
    """The filled in form; None for every other answer, and for none."""
    try:
        return await exchange.ask(form)
    except PeerGoneError:
        return None


_CANNOT_ASK = (
    "Nothing was done: this host cannot ask the user whether it may (it offers no elicitation). To"
    ' allow it, the user can set auto_run = true or sandbox = "isolated" in the settings file; or,'
    " for this server alone, the environment variable OI_AUTO_RUN=1 or OI_SANDBOX=isolated in the"
    " host's configuration."
)
_DECLINED = "The user declined to run this code. It was not run."
