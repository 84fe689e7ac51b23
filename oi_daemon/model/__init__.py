"""Models: any OpenAI-compatible server, hosted, local or embedded."""

from oi_daemon.model.chat import ChatModel
from oi_daemon.model.models import Models

__all__ = ["ChatModel", "Models"]
