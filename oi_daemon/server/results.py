"""Results of the wire's methods, made from what the daemon holds."""

import os
from pathlib import Path

from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.conversation import Conversation
from oi_daemon.conversation.outcome import OpenTurn, Outcome, Snapshot
from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.versions import Versions
from oi_daemon.history import Entry, PassedOver
from oi_daemon.logs import redact
from oi_daemon.messages import Executing, InputRequest, dump
from oi_daemon.messages.text import without_controls
from oi_daemon.protocol.chunks import to_wire
from oi_daemon.protocol.methods import (
    Attached,
    BackgroundEntry,
    ConversationStatus,
    HistoryEntry,
    LanguageEntry,
    PassedOverFile,
    ProcessEntry,
    SessionUsage,
    TurnResult,
    TurnSoFar,
    TurnUsage,
    WaitingApproval,
    WaitingInput,
)


def turn_result(conversation: Conversation, outcome: Outcome, last_seq: int) -> TurnResult:
    """Return the result of the latest turn.

    Args:
        last_seq: `seq` of the last chunk that was sent for the conversation.
    """
    usage = outcome.usage
    return TurnResult(
        conversation=conversation.id,
        turn=conversation.turns,
        status=outcome.status.value,
        messages=[dump(message) for message in outcome.messages],
        usage=TurnUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
            about=usage.about,
        ),
        session=_session_usage(conversation.budget),
        last_seq=last_seq,
    )


def attached(conversation: Conversation, snapshot: Snapshot, last_seq: int) -> Attached:
    """Return what a client gets that attaches itself."""
    return Attached(
        conversation=conversation.id,
        messages=[dump(message) for message in snapshot.messages],
        state=conversation.state,
        last_seq=last_seq,
        settings=conversation.public_settings,
        turn=_turn_so_far(snapshot.turn) if snapshot.turn else None,
    )


def _turn_so_far(turn: OpenTurn) -> TurnSoFar:
    approval, request = None, None
    match turn.waiting:
        case Executing(code, language, str(id)):
            approval = WaitingApproval(id=id, code=code, language=language)
        case InputRequest(prompt, password, id):
            request = WaitingInput(id=id, prompt=prompt, password=password)
    return TurnSoFar(
        messages=[dump(message) for message in turn.messages],
        finished=turn.finished,
        unfinished=[to_wire(chunk) for chunk in turn.unfinished],
        approval=approval,
        input=request,
        active_line=turn.active_line,
    )


async def conversation_status(conversation: Conversation) -> ConversationStatus:
    """Return what `oi/status` says of a conversation."""
    interpreters = conversation.interpreters
    started = {} if interpreters is None else await interpreters.started()
    return ConversationStatus(
        conversation=conversation.id,
        state=conversation.state,
        model=conversation.settings.model,
        cost=conversation.budget.cost,
        usage=_session_usage(conversation.budget),
        processes=[
            ProcessEntry(
                pid=process.pid,
                language=language,
                command=without_controls(redact(process.command)),
                seconds=process.seconds,
                ports=list(process.ports),
            )
            for language, found in started.items()
            for process in found
        ],
        background=[
            BackgroundEntry(block=id, language=block.language, seconds=round(block.seconds, 1))
            for id, block in (interpreters.background.items() if interpreters else ())
        ],
    )


def history_entry(entry: Entry) -> HistoryEntry:
    """Return a conversation in the list, without control characters that a terminal would obey."""
    return HistoryEntry(
        conversation=entry.conversation,
        title=without_controls(entry.title),
        updated=entry.updated,
        messages=entry.messages,
        snippet=entry.snippet and without_controls(entry.snippet),
    )


def passed_over_file(file: PassedOver) -> PassedOverFile:
    """Return a file that is not in the list, without control characters."""
    return PassedOverFile(name=without_controls(file.name), why=without_controls(file.why))


async def language_entry(language: Language, place: Workplace, versions: Versions) -> LanguageEntry:
    """Return what `oi/languages` says of a language, as it would run at this place."""
    why, path = language.missing(place.environ), None
    try:
        path = language.path(place)
    except NotInstalledError as error:
        why = str(error)
    return LanguageEntry(
        name=language.name,
        aliases=list(language.aliases),
        available=why is None,
        suffix=language.suffix,
        lexer=language.lexer,
        vscode=list(language.vscode),
        neovim=list(language.neovim),
        why=why,
        path=path,
        version=path and await versions.version(path),
    )


def resident_bytes() -> int:
    """Return the resident memory of this process, or its peak if the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _session_usage(budget: Budget) -> SessionUsage:
    """Return what the session has used."""
    return SessionUsage(
        input_tokens=budget.input_tokens,
        output_tokens=budget.output_tokens,
        cost=budget.cost,
        unpriced=budget.unpriced,
        about=budget.about,
    )
