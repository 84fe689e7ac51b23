"""Models that a client offers: the daemon tells what it wants to ask, the client streams back."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

ASK = "oi/model/ask"
"""The notification that tells a client what to ask its model."""
CANCEL = "oi/model/cancel"
"""The notification that says that an answer is no longer wanted."""
PREFIXES = ("client/", "vscode/")
"""How the name of a client's model begins, so that it is never taken for a server's."""

_OFFERED_NAME = r"^(client|vscode)/[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
_KEPT_SHORT = 200
"""Most characters of a name, a title or an id."""


class OfferedModel(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A model of a client."""

    name: Annotated[
        str,
        Meta(
            max_length=_KEPT_SHORT,
            pattern=_OFFERED_NAME,
            description="What the setting `model` holds to choose it. It begins with `client/`, or"
            " with `vscode/` for VS Code's models.",
        ),
    ]
    title: Annotated[
        str,
        Meta(max_length=_KEPT_SHORT, description="What a person reads in a list of models."),
    ] = ""
    context_window: Annotated[
        Annotated[int, Meta(ge=256)] | None, Meta(description="Tokens, if known.")
    ] = None
    tools: Annotated[
        bool,
        Meta(description="Whether it can call tools. If not, it writes code in Markdown fences."),
    ] = True
    pictures: Annotated[bool, Meta(description="Whether it can see pictures.")] = False


class ModelOfferParams(msgspec.Struct, kw_only=True):
    """Takes the place of what the client has offered before."""

    models: Annotated[
        list[OfferedModel], Meta(max_length=1000, description="Empty: the client offers none.")
    ]


class ModelAskParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Params of the notification `oi/model/ask`: what the client should ask its model."""

    ask: Annotated[str, Meta(description="The id that `oi/model/reply` names.")]
    model: Annotated[str, Meta(description="The name under which it was offered.")]
    messages: Annotated[
        list[dict[str, Any]],
        Meta(description="As in OpenAI's chat completions, the system's first."),
    ]
    tools: Annotated[
        list[dict[str, Any]], Meta(description="Functions, as in OpenAI's chat completions.")
    ] = []
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="What the person has set: `temperature`, `max_tokens`, ... May be ignored."
        ),
    ] = {}


class ModelCancelParams(msgspec.Struct, kw_only=True):
    """Params of the notification `oi/model/cancel`: nobody waits for this answer any more."""

    ask: str


class ReplyCall(msgspec.Struct, kw_only=True):
    """A call of a tool, or some more of it."""

    name: Annotated[
        str | None, Meta(description="Begins a call. Left out: goes on with the last one.")
    ] = None
    id: Annotated[str, Meta(max_length=_KEPT_SHORT)] | None = None
    arguments: Annotated[
        str | dict[str, Any],
        Meta(description="All of them as an object, or some more of their JSON text."),
    ] = ""


class ReplyUsage(msgspec.Struct, kw_only=True):
    """The tokens of a request, as the model's provider counts them."""

    input_tokens: Annotated[int, Meta(ge=0)]
    output_tokens: Annotated[int, Meta(ge=0)]


class ReplyError(msgspec.Struct, kw_only=True):
    """Why the model cannot answer."""

    message: Annotated[str, Meta(description="What happened and what to do, for a person.")]
    kind: Annotated[
        Literal["model", "auth", "rate_limit", "context", "no_model"],
        Meta(
            description="`auth`: the person has not allowed it, or is not signed in; `context`: the"
            " conversation is too long, and is sent again shortened; `rate_limit`: try later."
        ),
    ] = "model"


class ModelReplyParams(msgspec.Struct, kw_only=True):
    """Some more of a model's answer."""

    ask: str
    text: str = ""
    thinking: Annotated[str, Meta(description="Some more of its reasoning, if it tells it.")] = ""
    calls: list[ReplyCall] = []
    usage: ReplyUsage | None = None
    end: Annotated[
        Literal["stop", "length", "filter"] | None,
        Meta(
            description="With the last of the answer. `stop`: the model has ended it itself;"
            " `length`: it was cut off; `filter`: a content filter cut it off."
        ),
    ] = None
    error: Annotated[ReplyError | None, Meta(description="Ends the answer.")] = None


class ModelReplyResult(msgspec.Struct, kw_only=True):
    """Whether the answer is still wanted."""

    accepted: Annotated[bool, Meta(description="False: nobody waits for it; stop the model.")]
