"""What the lookups give: variables, documentation and completions of a language process."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Column(msgspec.Struct, kw_only=True):
    """A column of a table."""

    name: str
    type: Annotated[str, Meta(description="Of its values, as in `float64`.")] = ""


class VariableEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A variable of a language process."""

    name: str
    type: Annotated[str, Meta(description="The language's own name of it, as in `DataFrame`.")]
    preview: Annotated[
        str,
        Meta(
            description="A short text for the value, on one line; `…` stands where something was"
            " left out. Empty if there was no time for it."
        ),
    ]
    language: str
    size: Annotated[int | None, Meta(description="How many items or characters it has.")] = None
    shape: Annotated[list[int] | None, Meta(description="Of an array or a table.")] = None
    bytes: Annotated[
        int | None,
        Meta(description="Of an array or a table, without what its values only refer to."),
    ] = None
    columns: Annotated[
        list[Column] | None, Meta(description="Of a table: the first 100, in their order.")
    ] = None


class Variables(msgspec.Struct, kw_only=True):
    """The variables of one or all language processes of a conversation."""

    variables: Annotated[
        list[VariableEntry],
        Meta(description="Those that hold data first, each kind in the order of definition."),
    ]
    more: Annotated[int, Meta(description="How many there are beyond the limit.")]
    unanswered: Annotated[
        list[str],
        Meta(
            description="Languages that do not answer: while a block runs, or because they cannot."
        ),
    ]


class Documentation(msgspec.Struct, kw_only=True):
    """What is known of the name at a place in code."""

    data: Annotated[
        dict[str, str],
        Meta(description="`text/plain` and `text/markdown`. Empty: there is no such name."),
    ]


class Completions(msgspec.Struct, kw_only=True):
    """What may stand at a place in code."""

    matches: Annotated[list[str], Meta(description="The best ones first.")]
    kinds: Annotated[
        list[str],
        Meta(
            description="What each match is: `variable`, `function`, `class`, `module`,"
            " `property`, `parameter`, `key`, `keyword`, `command`, `file`, ..."
        ),
    ]
    start: Annotated[int, Meta(description="Where the text begins that a match replaces.")]
    end: int
