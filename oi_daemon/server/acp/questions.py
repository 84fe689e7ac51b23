"""Questions to the person at the client: may a block run, what does code read, how is it edited.

A client that answers by an error or in an unknown way has said no. For one that is gone, nothing
is answered: then the daemon declines, or another client of the conversation is still asked.
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from oi_daemon.conversation.collaborators import Answer, Decision
from oi_daemon.server.acp.block_call import BlockCall
from oi_daemon.server.acp.types import PermissionOption, PermissionParams
from oi_daemon.server.peer import PeerError

logger = logging.getLogger(__name__)

_RUN, _ALWAYS, _EDIT, _SKIP = "run", "always", "edit", "skip"
_OPTIONS = [
    PermissionOption(option_id=_RUN, name="Run", kind="allow_once"),
    PermissionOption(option_id=_ALWAYS, name="Run all code of this session", kind="allow_always"),
    PermissionOption(option_id=_SKIP, name="Do not run", kind="reject_once"),
]
_EDIT_OPTION = PermissionOption(option_id=_EDIT, name="Edit, then run", kind="allow_once")

NO = Answer(Decision.SKIP, None)
"""The model is told that the person declined the block."""
END = Answer(Decision.STOP, None)
"""The block does not run, and the turn ends."""


class Asker(Protocol):
    """Who is asked: see `oi_daemon.server.peer.Peer`."""

    async def request(self, method: str, params: Any) -> Any: ...


class Questions:
    """Asks the client of one session."""

    def __init__(self, peer: Asker, session: str, *, has_forms: bool) -> None:
        """
        Args:
            has_forms: the client can show a form (elicitation), so code can be edited and input
                be given.
        """
        self.has_forms = has_forms
        self._peer = peer
        self._session = session

    async def permission(self, call: BlockCall) -> Answer:
        """Ask whether a block may run, with its code to be seen. A failure is a no.

        Raises:
            PeerGoneError: nobody can answer any more.
        """
        options = [*_OPTIONS[:2], *([_EDIT_OPTION] if self.has_forms else []), _OPTIONS[2]]
        params = PermissionParams(session_id=self._session, tool_call=call.state(), options=options)
        try:
            given = await self._peer.request("session/request_permission", params)
        except PeerError as error:
            logger.warning("a block is not run: %s", error)
            return END
        return await self._answer(_chosen(given), call)

    async def _answer(self, chosen: str | None, call: BlockCall) -> Answer:
        match chosen:
            case "run":
                return Answer(Decision.RUN, None)
            case "always":
                return Answer(Decision.ALWAYS, None)
            case "edit" if self.has_forms:
                code = await self._form(
                    f"Edit the {call.language} code, then run it", "Code", call.code, call.id
                )
                return NO if code is None else Answer(Decision.RUN, code)
            case "cancelled":
                return END
            case _:
                return NO

    async def line(self, prompt: str, call: BlockCall | None) -> str | None:
        """Ask for a line that code reads. None, the end of file, if none is given.

        Raises as `permission` does.
        """
        what = prompt.strip() or "The code that runs asks for a line of input"
        text = await self._form(what, "Input", "", call.id if call else None)
        return None if text is None else text.partition("\n")[0]

    async def _form(self, message: str, title: str, text: str, call_id: str | None) -> str | None:
        """Show a form with one text, and return what it is changed to; None if it is refused."""
        field = {"type": "string", "title": title, "default": text}
        params = {
            "mode": "form",
            "sessionId": self._session,
            "message": message,
            "requestedSchema": {
                "type": "object",
                "properties": {"text": field},
                "required": ["text"],
            },
            **({"toolCallId": call_id} if call_id else {}),
        }
        try:
            given = await self._peer.request("elicitation/create", params)
        except PeerError as error:
            logger.warning("the form was not answered: %s", error)
            return None
        match given:
            case {"action": "accept", "content": {"text": str(changed)}}:
                return changed
        return None


def _chosen(given: Any) -> str | None:
    """Return the id of the option that was chosen, or `cancelled`; None for any other answer."""
    match given:
        case {"outcome": {"outcome": "selected", "optionId": str(option)}} if option != "cancelled":
            return option
        case {"outcome": {"outcome": "cancelled"}}:
            return "cancelled"
    logger.warning("an unknown answer to a permission request: %.200r", given)
    return None


def has_forms(capabilities: Mapping[str, Any] | None) -> bool:
    """Whether a client with these capabilities can show forms."""
    elicitation = (capabilities or {}).get("elicitation")
    if not isinstance(elicitation, Mapping):
        return False
    return elicitation.get("form") is not None or not elicitation
