"""A host that speaks ACP by the official SDK, over real stdio, and checks all that it is sent."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import acp
from acp import schema
from acp.connection import StreamDirection, StreamEvent

from tests.measured import MEASURED
from tests.patience import PATIENCE
from tests.talk import KEY
from tests.wire_client import COMMAND

FORMS = schema.ClientCapabilities(
    elicitation=schema.ElicitationCapabilities(form=schema.ElicitationFormCapabilities())
)
_RESULTS: dict[str, Any] = {
    "initialize": schema.InitializeResponse,
    "session/new": schema.NewSessionResponse,
    "session/load": schema.LoadSessionResponse,
    "session/resume": schema.ResumeSessionResponse,
    "session/list": schema.ListSessionsResponse,
    "session/prompt": schema.PromptResponse,
    "session/set_mode": schema.SetSessionModeResponse,
    "session/set_config_option": schema.SetSessionConfigOptionResponse,
}
_CALLS: dict[str, Any] = {
    "session/update": schema.SessionNotification,
    "session/request_permission": schema.RequestPermissionRequest,
    "elicitation/create": schema.CreateFormSessionElicitationRequest,
}


class Host:
    """The client's side: it keeps what it is told, and answers as it is set to."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        """The params' `update`s, as they came."""
        self.asked: list[dict[str, Any]] = []
        """The params of permission requests, as they came."""
        self.forms: list[dict[str, Any]] = []
        """The params of elicitations, as they came."""
        self.choose: Callable[[], str] = lambda: "run"
        """Chooses an option's id for each permission request; `cancelled` is the outcome."""
        self.fill: Callable[[str], str | None] = lambda text: None
        """Fills in a form's text; None declines."""
        self.never = asyncio.Event()
        """While it is not set, a choice of `wait` waits."""
        self.agent: Any = None
        self.process: Any = None
        self.session = ""
        self._methods: dict[Any, str] = {}
        self._news = asyncio.Event()

    # What the SDK calls

    def on_connect(self, conn: Any) -> None:
        pass

    async def session_update(self, session_id: str, update: Any, **more: Any) -> None:
        pass

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Any, **more: Any
    ) -> Any:
        choice = self.choose()
        if choice == "wait":
            await self.never.wait()
        if choice in ("cancelled", "wait"):
            outcome: Any = schema.DeniedOutcome(outcome="cancelled")
        else:
            outcome = schema.AllowedOutcome(outcome="selected", option_id=choice)
        return schema.RequestPermissionResponse(outcome=outcome)

    async def create_elicitation(self, message: str, mode: Any, **more: Any) -> Any:
        given = self.fill(mode.requested_schema.properties["text"].default)
        if given is None:
            return schema.DeclineElicitationResponse(action="decline")
        return schema.AcceptElicitationResponse(action="accept", content={"text": given})

    def observe(self, event: StreamEvent) -> None:
        """Check and keep a message: what the SDK's models make of it must be all of it."""
        message = event.message
        if event.direction is StreamDirection.OUTGOING:
            if "method" in message and "id" in message:
                self._methods[message["id"]] = message["method"]
            return
        if "method" in message:
            self._keep(message["method"], message["params"])
        elif "result" in message:
            _check(_RESULTS.get(self._methods[message["id"]]), message["result"])

    def _keep(self, method: str, params: dict[str, Any]) -> None:
        if method.startswith("$/"):
            return
        _check(_CALLS[method], params)
        if method == "session/update":
            self.updates.append(params["update"])
        else:
            (self.asked if method == "session/request_permission" else self.forms).append(params)
        self._news.set()

    # What tests do

    async def prompt(self, *parts: Any) -> schema.PromptResponse:
        """Send a prompt of texts or content blocks."""
        blocks = [acp.text_block(part) if isinstance(part, str) else part for part in parts]
        answer = await self.agent.prompt(session_id=self.session, prompt=blocks)
        return cast("schema.PromptResponse", answer)

    async def until(self, happened: Callable[[], Any]) -> None:
        """Wait until what was told so far makes this true."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                self._news.clear()
                await self._news.wait()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The updates of a kind."""
        return [update for update in self.updates if update["sessionUpdate"] == kind]

    @property
    def answer(self) -> str:
        """All text of the model."""
        return "".join(each["content"]["text"] for each in self.told("agent_message_chunk"))

    @property
    def thoughts(self) -> str:
        return "".join(each["content"]["text"] for each in self.told("agent_thought_chunk"))

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """The tool calls as they are in the end."""
        calls: dict[str, dict[str, Any]] = {}
        for update in self.updates:
            if update["sessionUpdate"] in ("tool_call", "tool_call_update"):
                calls[update["toolCallId"]] = {**calls.get(update["toolCallId"], {}), **update}
        return calls

    @property
    def call(self) -> dict[str, Any]:
        """The last tool call."""
        return [*self.calls.values()][-1]

    @property
    def shown(self) -> str:
        """All text in the last tool call."""
        return texts(self.call)


def texts(call: Mapping[str, Any]) -> str:
    """All text in a tool call's content."""
    return "\n".join(
        item["content"]["text"]
        for item in call.get("content", [])
        if item["content"]["type"] == "text"
    )


def _check(model: Any, sent: dict[str, Any]) -> None:
    """The SDK's models forgive what they do not know, so compare what they have understood."""
    if model is None:
        return
    understood = model.model_validate(sent).model_dump(mode="json", by_alias=True)
    _contains(understood, sent, model.__name__)


def _contains(understood: Any, sent: Any, where: str) -> None:
    if isinstance(sent, dict):
        assert isinstance(understood, dict), where
        for name, value in sent.items():
            assert name in understood, f"{where}.{name} is not in the protocol"
            _contains(understood[name], value, f"{where}.{name}")
    elif isinstance(sent, list):
        assert isinstance(understood, list), where
        assert len(understood) == len(sent), where
        for index, item in enumerate(sent):
            _contains(understood[index], item, f"{where}[{index}]")
    else:
        assert understood == sent, where


@asynccontextmanager
async def hosting(
    url: str,
    folder: Path,
    capabilities: schema.ClientCapabilities | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    begin: bool = True,
    name: str = "a host",
    shared: bool = False,
) -> AsyncIterator[Host]:
    """Start `oi-daemon --acp` and a session in this folder.

    Args:
        url: the model server's.
    """
    command, *arguments = list((*MEASURED, COMMAND, "--acp", *([] if shared else ["--private"])))
    env = {**os.environ, "OI_API_BASE": url, "OPENAI_API_KEY": KEY, **(environ or {})}
    host = Host()
    async with acp.spawn_agent_process(
        cast("Any", host),
        command,
        *arguments,
        env=env,
        observers=[host.observe],
        use_unstable_protocol=True,
    ) as (agent, process):
        host.agent, host.process = agent, process
        info = schema.Implementation(name=name, version="1")
        await agent.initialize(
            protocol_version=1, client_capabilities=capabilities, client_info=info
        )
        if begin:
            begun = await agent.new_session(cwd=str(folder), mcp_servers=[])
            host.session = begun.session_id
        yield host
