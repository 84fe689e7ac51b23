"""Models: any OpenAI-compatible server, hosted, local or embedded.

models        what is kept between turns; makes a `ChatModel` for each
chat          one reply: request, stream, chunks, usage, errors
asking        what is sent, and what is changed after a failure
reply         deltas -> chunks, by `arguments` (of calls) and `fences` (Markdown)
requests      stored messages -> the request's messages
window        the conversation that fits, counted by `tokens`
failures      what servers refuse, in words for a person
local         models on this machine: servers found, files embedded
"""

from oi_daemon.model.chat import ChatModel
from oi_daemon.model.models import Models

__all__ = ["ChatModel", "Models"]
