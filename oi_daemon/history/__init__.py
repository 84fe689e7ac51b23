"""Conversations on disk: one JSON file each, private to the user."""

from oi_daemon.history.catalog import ConversationPage, Entry, PassedOver
from oi_daemon.history.conversation_file import Merge
from oi_daemon.history.naming import new_id
from oi_daemon.history.saver import Saver, in_background, in_thread
from oi_daemon.history.store import History

__all__ = [
    "ConversationPage",
    "Entry",
    "History",
    "Merge",
    "PassedOver",
    "Saver",
    "in_background",
    "in_thread",
    "new_id",
]
