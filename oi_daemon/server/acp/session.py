"""One ACP session: a conversation's chunks as updates, its questions, and its turns."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from oi_daemon.conversation.collaborators import Answer, Decision
from oi_daemon.messages.text import fenced
from oi_daemon.protocol.methods import (
    ApproveParams,
    AttachParams,
    ChatParams,
    ChunkParams,
    ConversationParams,
    InputParams,
    SettingsSetParams,
    TurnResult,
)
from oi_daemon.server.acp.block_call import BlockCall
from oi_daemon.server.acp.options import config_options, mode_of, mode_state
from oi_daemon.server.acp.prompts import Attachments
from oi_daemon.server.acp.questions import Questions
from oi_daemon.server.acp.types import (
    ConfigOption,
    ModeChanged,
    ModelWords,
    ModeState,
    OptionsChanged,
    PersonWords,
    PromptResult,
    PromptUsage,
    StopReason,
    TextBlock,
)
from oi_daemon.server.acp.updates import Updates
from oi_daemon.server.background import Background
from oi_daemon.server.peer import PeerGoneError

if TYPE_CHECKING:
    from oi_daemon.server.methods import Methods

_TOLD = ("save", "limit", "model")
"""Kinds of notices that stand in the answer, because a person must know them. Others stand in the
thinking."""
_MOST_WORDS = 4000
"""Most characters of output that stand in the answer, for a client that shows them nowhere else."""
_STOP_REASONS: dict[str, StopReason] = {
    "done": "end_turn",
    "interrupted": "cancelled",
    "stopped": "max_turn_requests",
    "budget": "max_turn_requests",
}


class AcpSession:
    """One session. Its id is the conversation's."""

    def __init__(
        self,
        id: str,
        cwd: str,
        methods: "Methods",
        updates: Updates,
        questions: Questions,
        models: Callable[[], tuple[list[str], list[str]]],
        *,
        in_words: bool,
    ) -> None:
        """
        Args:
            in_words: the client shows no more of a tool call than its title, so code and output
                stand in the answer as well.
            models: returns the names of the server's models and of those on this machine, as far
                as they are known.
        """
        self.id = id
        self.cwd = cwd
        self.methods = methods
        self.updates = updates
        self.thinking = ""
        """What the model has told of its thinking in the last turn."""
        self.last: TurnResult | None = None
        """The last turn that has not failed."""
        self.note = ""
        """What the person is told with the next turn, before all else."""
        self.is_busy = False
        """True while a prompt is answered."""
        self.attachments = Attachments()
        self._questions = questions
        self._models = models
        self._in_words = in_words
        self._call: BlockCall | None = None
        """The block that is written, asked about or run."""
        self._asking: asyncio.Task[None] | None = None
        """The question about the block, or for input, that was not answered."""
        self._was_ended = False
        """The person has ended the turn by the answer to a question."""
        self._told_mode = ""
        self._told_options: list[ConfigOption] = []
        self._background = Background()

    # Turns

    @contextmanager
    def one_turn(self) -> Iterator[None]:
        """Mark the session as busy while a prompt is answered, and end what this has begun."""
        self.is_busy = True
        self._was_ended = False
        note, self.note = self.note, ""
        if note:
            self.updates.think(note)
        try:
            yield
        finally:
            self.is_busy = False
            self._end_turn()

    async def ask(self, message: str) -> PromptResult:
        """Run a turn, from the person's words to the answer.

        Raises as `Methods.stream` does.
        """
        self.thinking = ""
        result = await self.methods.stream(ChatParams(message=message, conversation=self.id))
        self.last = result
        was_ended = self._was_ended and result.status == "stopped"
        return PromptResult(
            stop_reason="cancelled" if was_ended else _STOP_REASONS[result.status],
            usage=PromptUsage(
                total_tokens=result.session.input_tokens + result.session.output_tokens,
                input_tokens=result.session.input_tokens,
                output_tokens=result.session.output_tokens,
            ),
            meta={"oi": {"status": result.status, "cost": result.usage.cost}},
        )

    async def cancel(self) -> None:
        """Interrupt the turn under way. The client takes back what it was asked itself."""
        self._asking = None
        await self.methods.interrupt(ConversationParams(conversation=self.id))

    def _end_turn(self) -> None:
        self._stop_asking()
        if self._call is not None and self._call.is_open:  # the reply broke off within the code
            self._call.decline()
            self.updates.change(self._call)
        self._call = None
        self.updates.flush()

    async def close(self) -> None:
        """End the turn, and forget what belongs to this session only."""
        self.forget()
        await self.cancel()

    def forget(self) -> None:
        """Forget what belongs to this session only: questions, work, files that were attached."""
        self._stop_asking()
        self._background.cancel()
        self.attachments.remove()

    # Chunks

    def chunk(self, params: ChunkParams) -> None:  # noqa: C901 - a case for each kind
        """Show a chunk."""
        match params.chunk:
            case {"message": text}:
                self.updates.say(text)
            case {"thinking": text}:
                self.thinking += text
                self.updates.think(text)
            case {"language": language}:
                self._begin(params, language)
            case {"code": text}:
                call = self._call or self._begin(params, "")
                call.code += text
                self.updates.change(call)
            case {"executing": {"code": code, "language": language}}:
                self._execute(params, code, language)
            case {"active_line": line} if self._call:
                self._call.line = line
                self.updates.change(self._call)
            case {"output": text} if self._call:
                self._call.write(text)
                self.updates.change(self._call)
            case {"display": display} if self._call:
                self._call.show(display)
                self.updates.change(self._call)
            case {"end_of_execution": True} if self._call:
                self._call.end(params.result or {})
                self._end_block(self._call)
            case {"declined": _} if self._call:
                self._call.decline()
                self._end_block(self._call)
            case {"input": {"prompt": prompt, "password": password}} if params.input:
                self._start_asking(self._give_line(params.input, prompt, password))
            case {"notice": notice}:
                self._tell(notice)
            case {"event": event}:
                self._heed(event)

    def _heed(self, event: Mapping[str, Any]) -> None:
        """Show what another client of the conversation has done."""
        match event:
            case {"kind": "answered"}:
                self._stop_asking()
            case {"kind": "begun", "message": str(message)} if not self.is_busy:
                self.updates.send(PersonWords(content=TextBlock(text=message)))
            case {"kind": "ended"} if not self.is_busy:
                self._end_turn()
            case {"kind": "changed"} if not self.is_busy:
                self.in_background(self.show_settings())

    def _begin(self, params: ChunkParams, language: str) -> BlockCall:
        """Show that a block begins."""
        call = self._call = BlockCall(f"block-{params.turn}-{params.seq}", language)
        self.updates.send(call.begun())
        return call

    def _execute(self, params: ChunkParams, code: str, language: str) -> None:
        """Show that a block runs, or ask whether it may."""
        call = self._call or self._begin(params, language)
        call.finish(code)
        if self._in_words:
            self.updates.say(f"\n\n{fenced(code, language)}\n\n")
        if params.approval is None:
            self._stop_asking()
            call.run(code)
            self.updates.change(call, now=True)
        else:
            self.updates.change(call, now=True)
            self._start_asking(self._ask_permission(params.approval, call))

    def _end_block(self, call: BlockCall) -> None:
        self._stop_asking()
        self._call = None
        self.updates.change(call, now=True)
        if self._in_words and call.output:
            self.updates.say(f"\n\n{fenced(call.output[-_MOST_WORDS:])}\n\n")

    def _tell(self, notice: Mapping[str, Any]) -> None:
        if notice["kind"] in _TOLD:
            self.updates.say(f"\n\n> {notice['message']}\n\n")
        else:
            self.updates.think(f"{notice['message']}\n")

    # Questions

    def _start_asking(self, asking: Coroutine[Any, Any, None]) -> None:
        self._stop_asking()
        self.updates.flush()
        self._asking = asyncio.create_task(_while_there(asking))

    def _stop_asking(self) -> None:
        """Take back the question, because it was answered or nobody needs the answer any more."""
        if self._asking is not None and self._asking is not asyncio.current_task():
            self._asking.cancel()
        self._asking = None

    async def _ask_permission(self, approval: str, call: BlockCall) -> None:
        answer = await self._questions.permission(call)
        self._asking = None
        given = await self.methods.approve(_approval(self.id, approval, answer))
        if not given.accepted:
            return
        if answer.decision is Decision.STOP:
            self._was_ended = True
        elif answer.decision in (Decision.RUN, Decision.ALWAYS):
            call.run(call.code if answer.code is None else answer.code)
            self.updates.change(call)
        if answer.decision is Decision.ALWAYS:
            await self.show_settings()

    async def _give_line(self, input: str, prompt: str, password: bool) -> None:
        line = None
        if self._questions.has_forms and not password:
            line = await self._questions.line(prompt, self._call)
        if line is None:
            self.updates.say(_no_input(prompt, password=password))
        self._asking = None
        await self.methods.input(InputParams(input=input, value=line, conversation=self.id))

    # Settings

    async def settings(self) -> dict[str, Any]:
        """Return the conversation's settings."""
        return await self.methods.settings_get(ConversationParams(conversation=self.id))

    async def choose(self, changes: Mapping[str, Any]) -> None:
        """Change settings. Raises as `Methods.settings_set` does."""
        params = SettingsSetParams(settings=dict(changes), conversation=self.id)
        await self.methods.settings_set(params)

    async def choices(self) -> tuple[ModeState, list[ConfigOption]]:
        """Return modes and options for an answer. From then on the client knows them."""
        settings = await self.settings()
        self._told_mode = mode_of(settings)
        self._told_options = config_options(settings, *self._models())
        return mode_state(settings), self._told_options

    async def show_settings(self) -> None:
        """Tell the client which mode and options are in force, if it does not know it."""
        told = self._told_mode, self._told_options
        mode, options = await self.choices()
        if mode.current_mode_id != told[0]:
            self.updates.send(ModeChanged(current_mode_id=mode.current_mode_id))
        if options != told[1]:
            self.updates.send(OptionsChanged(config_options=options))

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this while the session is open."""
        self._background.start(work)

    # Messages before

    async def follow(self, *, show: bool) -> None:
        """Get all chunks of the conversation from now on, also of other clients' turns.

        What waits for a person in a turn under way is asked here, too.

        Args:
            show: show all messages before.
        """
        known = await self.methods.attach(AttachParams(conversation=self.id))
        if show:
            self._replay(known.messages, 0)
        if known.turn is None or self.is_busy:
            return
        turn = known.turn
        if show:
            self._replay(turn.messages[: turn.finished], len(known.messages))
        params = ChunkParams(
            conversation=self.id, turn=0, seq=known.last_seq, chunk={}, state=known.state
        )
        for chunk in turn.unfinished:
            self.chunk(msgspec.structs.replace(params, chunk=chunk))
        if turn.approval:
            executing = {"code": turn.approval.code, "language": turn.approval.language}
            params.chunk, params.approval = {"executing": executing}, turn.approval.id
            self.chunk(params)
        elif self._call is not None and self._call.is_open:
            self._call.run(self._call.code)
            self.updates.change(self._call)
        if turn.input:
            asked = {"prompt": turn.input.prompt, "password": turn.input.password}
            params.chunk, params.input = {"input": asked}, turn.input.id
            self.chunk(params)

    def _replay(self, messages: list[dict[str, Any]], first: int) -> None:
        """Show stored messages, in the shape of `messages.dump`.

        Args:
            first: the number of the first one, which becomes a part of its call's id.
        """
        for index, message in enumerate(messages, first):
            if "code" in message:
                call = BlockCall.stored(f"stored-{index}", message)
                self.updates.send(call.begun())
                self.updates.send(call.changed())
            else:
                is_person = message["role"] == "user"
                words = PersonWords if is_person else ModelWords
                self.updates.send(words(content=TextBlock(text=message["message"])))


async def _while_there(asking: Coroutine[Any, Any, None]) -> None:
    """Ask, and answer nothing if the client is gone meanwhile."""
    with suppress(PeerGoneError):
        await asking


def _approval(session: str, approval: str, answer: Answer) -> ApproveParams:
    decisions: dict[Decision, Any] = {each: each.value for each in Decision}
    return ApproveParams(
        approval=approval,
        decision=decisions[answer.decision],
        code=answer.code,
        conversation=session,
    )


def _no_input(prompt: str, *, password: bool) -> str:
    """Say why code gets the end of its input."""
    what = "a password, which must not be sent by a form" if password else "input"
    asked = f" (`{prompt.strip()}`)" if prompt.strip() else ""
    return f"\n\n> The code asked for {what}{asked}. Nothing was given: its input has ended.\n\n"
