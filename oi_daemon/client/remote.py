"""A conversation in a daemon: the requests of the wire as typed calls."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from oi_daemon.protocol import methods

if TYPE_CHECKING:
    from oi_daemon.client.connection import Connection
    from oi_daemon.messages.shapes import (
        ApprovalDecision,
        CompletionsDict,
        FileBlockDict,
        FileDiffDict,
        FilesUndoneDict,
        LanguageDict,
        LocalServerDict,
        MessageDict,
        RunningConversationDict,
        SavedPageDict,
        UsageDict,
        VariableDict,
    )


class RemoteConversation:
    """One conversation of the daemon at the other end of a connection.

    Every call raises `OIError` if the daemon is gone or answers with an error.
    """

    def __init__(self, connection: "Connection", id: str) -> None:
        self.connection = connection
        self.id = id

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change settings of the conversation."""
        params = methods.SettingsSetParams(conversation=self.id, settings=dict(settings))
        self.connection.request(methods.SETTINGS_SET, params)

    def messages(self) -> "list[MessageDict]":
        """All messages of the conversation, those of a turn under way included."""
        return self._messages_of(self.id)

    def attach(self) -> methods.Attached:
        """The conversation as it is; from now on all its chunks come."""
        return self.connection.request(methods.ATTACH, methods.AttachParams(conversation=self.id))

    def detach(self) -> None:
        """Let no more chunks come than those of the turns that are asked for here."""
        self.connection.request(methods.DETACH, methods.AttachParams(conversation=self.id))

    def restore(self, messages: "Sequence[MessageDict]", usage: "UsageDict | None" = None) -> None:
        """Make these the messages of the conversation.

        Args:
            usage: what the session has used so far, for a daemon that goes on with it.
        """
        used = None if usage is None else methods.SessionUsage(**usage)
        params = methods.HistorySetParams(conversation=self.id, messages=list(messages), usage=used)
        self.connection.request(methods.HISTORY_SET, params)

    def undo(self) -> "list[MessageDict]":
        """Remove the last user message and all that answered it; returns what was removed."""
        result = self.connection.request(methods.HISTORY_UNDO, self._params)
        return _messages(result.removed)

    def file_changes(self) -> "list[FileBlockDict]":
        """What the blocks have done to files, the oldest first."""
        found = self.connection.request(methods.FILES_LIST, self._params)
        return cast("list[FileBlockDict]", msgspec.to_builtins(found.blocks))

    def file_diffs(self, wanted: Mapping[str, Any]) -> "list[FileDiffDict]":
        """Files before and after."""
        params = methods.FilesParams(conversation=self.id, **wanted)
        found = self.connection.request(methods.FILES_DIFF, params)
        return cast("list[FileDiffDict]", msgspec.to_builtins(found.files))

    def undo_files(self, wanted: Mapping[str, Any]) -> "FilesUndoneDict":
        """Undo what blocks have done to files."""
        params = methods.FilesUndoParams(conversation=self.id, **wanted)
        undone = self.connection.request(methods.FILES_UNDO, params)
        return cast("FilesUndoneDict", msgspec.to_builtins(undone))

    def reset(self) -> None:
        """Begin an empty conversation with fresh interpreters."""
        self.connection.request(methods.HISTORY_RESET, self._params)

    def approve(self, approval: str, decision: "ApprovalDecision", code: str | None = None) -> None:
        """Answer the block that waits under this id; `code` runs in place of the model's."""
        params = methods.ApproveParams(
            conversation=self.id, approval=approval, decision=decision, code=code
        )
        self.connection.request(methods.APPROVE, params)

    def input(self, input: str, value: str | None) -> None:
        """Give the running code the line that it waits for; None is end of file."""
        params = methods.InputParams(conversation=self.id, input=input, value=value)
        self.connection.request(methods.INPUT, params)

    def interrupt(self) -> bool:
        """Stop the turn under way; False if there is none."""
        return self.connection.request(methods.INTERRUPT, self._params).interrupted

    def post_interrupt(self) -> None:
        """Stop the turn under way, if there is one, without waiting for an answer."""
        self.connection.post(methods.INTERRUPT.name, self._params)

    def usage(self) -> "UsageDict | None":
        """What the session has used; None if the daemon has not used the conversation yet."""
        status = self.status()
        return None if status is None else msgspec.to_builtins(status.usage)

    def status(self) -> methods.ConversationStatus | None:
        """What the conversation is doing; None if the daemon has not used it yet."""
        return next((it for it in self._all() if it.conversation == self.id), None)

    def running(self) -> "list[RunningConversationDict]":
        """The other conversations that the daemon holds, and that are not empty, newest first."""
        others = (each for each in reversed(self._all()) if each.conversation != self.id)
        described = (_running(each, self._messages_of(each.conversation)) for each in others)
        return [each for each in described if each["messages"] or each["state"] != "idle"]

    def knows(self, conversation: str) -> bool:
        """Whether the daemon holds a conversation, or has it on the disk."""
        is_held = any(each.conversation == conversation for each in self._all())
        return is_held or bool(self._messages_of(conversation))

    def _all(self) -> "Sequence[methods.ConversationStatus]":
        """What all conversations of the daemon are doing, in the order in which they began."""
        return self.connection.request(methods.STATUS, methods.NoParams()).conversations

    def _messages_of(self, conversation: str) -> "list[MessageDict]":
        params = methods.ConversationParams(conversation=conversation)
        return _messages(self.connection.request(methods.HISTORY_GET, params).messages)

    def saved(self, query: str, cursor: str | None, limit: int) -> "SavedPageDict":
        """A page of the saved conversations, newest first."""
        params = methods.HistoryListParams(
            conversation=self.id, query=query or None, cursor=cursor, limit=limit
        )
        page = self.connection.request(methods.HISTORY_LIST, params)
        return cast("SavedPageDict", msgspec.to_builtins(page))

    def messages_of(self, conversation: str) -> "list[MessageDict]":
        """The messages of another conversation."""
        return self._messages_of(conversation)

    def delete(self, conversation: str) -> bool:
        """Delete a conversation; False if there is none."""
        params = methods.HistoryDeleteParams(conversation=conversation)
        return self.connection.request(methods.HISTORY_DELETE, params).deleted

    def languages(self) -> "list[LanguageDict]":
        """The languages, and whether code in them can run here."""
        found = self.connection.request(methods.LANGUAGES, methods.NoParams()).languages
        return cast("list[LanguageDict]", msgspec.to_builtins(found))

    def variables(self, language: str | None, limit: int) -> "list[VariableDict]":
        """The variables of one language, or of all that were used."""
        params = methods.VariablesParams(conversation=self.id, language=language, limit=limit)
        found = self.connection.request(methods.VARIABLES, params).variables
        return cast("list[VariableDict]", msgspec.to_builtins(found))

    def inspect(self, language: str, code: str, position: int) -> dict[str, str]:
        """What is known of the name at a place in code, by MIME type."""
        params = self._place(language, code, position)
        return self.connection.request(methods.INSPECT, params).data

    def complete(self, language: str, code: str, position: int) -> "CompletionsDict":
        """What may stand at a place in code."""
        params = self._place(language, code, position)
        found = self.connection.request(methods.COMPLETE, params)
        return cast("CompletionsDict", msgspec.to_builtins(found))

    def models(self) -> list[str]:
        """The chat models of the server that the settings name, the best ones first."""
        server = self.connection.request(methods.MODELS, self._params).server
        return server.models if server else []

    def local_models(self) -> "list[LocalServerDict]":
        """The model servers found on this machine."""
        found = self.connection.request(methods.MODELS, self._params).local
        return [{"api_base": server.api_base, "models": server.models} for server in found]

    def _place(self, language: str, code: str, position: int) -> methods.PlaceParams:
        return methods.PlaceParams(
            conversation=self.id, language=language, code=code, position=position
        )

    @property
    def _params(self) -> methods.ConversationParams:
        return methods.ConversationParams(conversation=self.id)


def _messages(stored: Sequence[Mapping[str, object]]) -> "list[MessageDict]":
    """Stored messages as they came over the wire, with their type."""
    return cast("list[MessageDict]", stored)


def _running(
    status: methods.ConversationStatus, messages: "Sequence[MessageDict]"
) -> "RunningConversationDict":
    """A conversation of the daemon, with its first words as its title."""
    first = messages[0] if messages else None
    title = " ".join((first.get("message") or first.get("code") or "").split()) if first else ""
    return {
        "conversation": status.conversation,
        "state": status.state.value,
        "title": title[:_TITLE],
        "messages": len(messages),
    }


_TITLE = 100
"""Most characters of a title."""
