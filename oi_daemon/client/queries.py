"""A conversation that can be asked what its daemon knows."""

from typing import TYPE_CHECKING

from oi_daemon.client.persistent import PersistentConversation

if TYPE_CHECKING:
    from oi_daemon.messages.shapes import (
        CompletionsDict,
        LanguageDict,
        LocalServerDict,
        MessageDict,
        SavedPageDict,
        VariableDict,
    )


class QueriedConversation(PersistentConversation):
    """Answers what belongs to no turn: saved conversations, models, languages, variables."""

    def saved(self, query: str = "", cursor: str | None = None, limit: int = 50) -> "SavedPageDict":
        """A page of the saved conversations, newest first, as `oi/history/list` returns it."""
        with self._daemon() as remote:
            return remote.saved(query, cursor, limit)

    def saved_messages(self, conversation: str) -> "list[MessageDict]":
        """The messages of a saved conversation, without going on with it."""
        with self._daemon() as remote:
            return remote.messages_of(conversation)

    def delete_saved(self, conversation: str) -> bool:
        """Delete a saved conversation from the disk; returns False if there is none."""
        with self._daemon() as remote:
            return remote.delete(conversation)

    def models(self) -> list[str]:
        """The chat models of the server that the settings name, the best ones first.

        Empty if it does not list them.
        """
        with self._daemon() as remote:
            return remote.models()

    def local_models(self) -> "list[LocalServerDict]":
        """The model servers found on this machine: the `api_base` and the `models` of each."""
        with self._daemon() as remote:
            return remote.local_models()

    def languages(self) -> "list[LanguageDict]":
        """The languages, and whether code in them can run here, as `oi/languages` returns them."""
        with self._daemon() as remote:
            return remote.languages()

    def variables(self, language: str | None = None, limit: int = 1000) -> "list[VariableDict]":
        """The variables of one language, or of all that were used; at most `limit` of each.

        Nothing of the values is run for that, not even their `repr`.
        """
        with self._daemon() as remote:
            return remote.variables(language, limit)

    def inspect(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> dict[str, str]:
        """What is known of the name at a position of the code, or at its end, by MIME type.

        Empty if there is no such name.
        """
        with self._daemon() as remote:
            return remote.inspect(language, code, len(code) if position is None else position)

    def complete(
        self, code: str, position: int | None = None, language: str = "python"
    ) -> "CompletionsDict":
        """What may stand at a position of the code, or at its end: names, attributes, keys."""
        with self._daemon() as remote:
            return remote.complete(language, code, len(code) if position is None else position)
