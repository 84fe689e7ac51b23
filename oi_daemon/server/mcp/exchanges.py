"""How a call that is under way asks the person, in each revision, and tells its progress."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from oi_daemon.protocol.jsonrpc import Id
from oi_daemon.server.mcp.questions import Form, content_of
from oi_daemon.server.peer import Peer, PeerError, PeerGoneError

_LONGEST_PROGRESS = 4000
"""Most characters of output in one notification of progress; of more, the last ones."""


class Exchange(Protocol):
    """The way from a call to the person and the host."""

    @property
    def can_ask(self) -> bool:
        """Whether the host can ask the person."""
        ...

    async def ask(self, form: Form) -> Mapping[str, Any] | None:
        """The filled in form; None for every other answer.

        Raises:
            PeerGoneError: the host is gone, so no answer can come.
        """
        ...

    def progress(self, text: str, /) -> None:
        """Tell the host what the code has just written."""
        ...


class ProgressNotifier:
    """Notifications about one request; none if it has no token for them."""

    def __init__(self, peer: Peer, token: Id | None) -> None:
        self._peer = peer
        self._token = token
        self._sent = 0

    def send(self, text: str) -> None:
        """Notify the host of this output."""
        if self._token is None:
            return
        self._sent += 1
        params = {
            "progressToken": self._token,
            "progress": self._sent,
            "message": text[-_LONGEST_PROGRESS:],
        }
        self._peer.notify("notifications/progress", params)


class AskingExchange:
    """Asks by a request to the host, in the revisions with a handshake."""

    def __init__(self, peer: Peer, progress: ProgressNotifier, *, can_ask: bool) -> None:
        self._peer = peer
        self.can_ask = can_ask
        self.progress = progress.send

    async def ask(self, form: Form) -> Mapping[str, Any] | None:
        """See `Exchange.ask`."""
        if not self.can_ask:
            return None
        try:
            return content_of(await self._peer.request("elicitation/create", form.params))
        except PeerError:
            return None


class AnsweringExchange:
    """Asks by the result of the call, which the host then repeats with the answer."""

    def __init__(self, *, can_ask: bool) -> None:
        self.can_ask = can_ask
        self.progress: Callable[[str], None] = _ignore
        """Set by each request of the call, because each has its own token."""
        self._form: Form | None = None
        """The question that waits for its answer."""
        self._answer: asyncio.Future[Any] | None = None
        self.asked = asyncio.Event()
        """Set while a question waits."""
        self._is_lost = False
        """The host is gone."""

    async def ask(self, form: Form) -> Mapping[str, Any] | None:
        """See `Exchange.ask`."""
        if not self.can_ask:
            return None
        if self._is_lost:
            raise _lost()
        self._form = form
        self._answer = asyncio.get_running_loop().create_future()
        self.asked.set()
        try:
            return content_of(await self._answer)
        finally:
            self.asked.clear()

    @property
    def question(self) -> dict[str, Any]:
        """The question that waits, as a result holds it."""
        assert self._form is not None
        params = {"mode": "form", **self._form.params}
        return {_QUESTION: {"method": "elicitation/create", "params": params}}

    def answer(self, responses: Mapping[str, Any] | None) -> None:
        """Answer the question that waits. No response to it is a no."""
        self.asked.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((responses or {}).get(_QUESTION))

    def lose(self) -> None:
        """End the question that waits, and all later ones, because the host is gone."""
        self._is_lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_lost())


def _lost() -> PeerGoneError:
    return PeerGoneError("the host is gone, and cannot answer")


def _ignore(_: str) -> None:
    pass


_QUESTION = "question"
"""Key of the one question in a result."""
