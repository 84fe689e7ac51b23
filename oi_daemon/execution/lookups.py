"""Variables, documentation and completions from the language processes of a conversation."""

from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from oi_daemon import keys
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Lookup
from oi_daemon.execution.redaction import without_keys
from oi_daemon.protocol.lookups import Completions, Documentation, VariableEntry, Variables

_BEFORE, _AFTER = 4000, 200
"""Characters of code before and after a place that a language process gets."""
_MOST_MATCHES = 300
"""Most completions for one place."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A place in code of one language."""

    language: str
    code: str
    position: int
    """How many characters of the code are before the place."""

    @property
    def start(self) -> int:
        """Where the part of the code begins that a language process gets."""
        return max(0, min(self.position, len(self.code)) - _BEFORE)

    @property
    def part(self) -> str:
        """The code around the place."""
        return self.code[self.start : self.position + _AFTER]


class _ProcessVariables(msgspec.Struct):
    """The variables of one language process."""

    variables: list[VariableEntry] = []
    more: int = 0


NO_VARIABLES = Variables(variables=[], more=0, unanswered=[])
NO_DOCUMENTATION = Documentation(data={})


def no_completions(position: int) -> Completions:
    """No completions at this position."""
    return Completions(matches=[], kinds=[], start=position, end=position)


async def variables(interpreters: Interpreters, language: str | None, limit: int) -> Variables:
    """The variables of one language process, or of all; at most `limit` of each."""
    answers = await interpreters.look_up(Lookup(kind="variables", limit=limit), language)
    found = [
        _decoded(answer, _ProcessVariables, _ProcessVariables()) for answer in answers.values()
    ]
    return Variables(
        variables=[variable for answer in found for variable in answer.variables],
        more=sum(answer.more for answer in found),
        unanswered=[name for name, answer in answers.items() if answer is None],
    )


async def documentation(interpreters: Interpreters, place: CodePlace) -> Documentation:
    """What is known of the name at a place."""
    return _decoded(await _at(interpreters, place, "inspect"), Documentation, NO_DOCUMENTATION)


async def completions(interpreters: Interpreters, place: CodePlace) -> Completions:
    """What may stand at a place."""
    nothing = no_completions(min(place.position, len(place.code)) - place.start)
    found = _decoded(await _at(interpreters, place, "complete"), Completions, nothing)
    found.start += place.start
    found.end += place.start
    return found


async def _at(
    interpreters: Interpreters, place: CodePlace, kind: Literal["inspect", "complete"]
) -> bytes | None:
    """The answer to a lookup about a place; None if there is none."""
    position = min(place.position, len(place.code)) - place.start
    lookup = Lookup(kind=kind, code=place.part, position=position, limit=_MOST_MATCHES)
    answers = await interpreters.look_up(lookup, place.language)
    return next(iter(answers.values()), None)


def _decoded(answer: bytes | None, kind: type[T], nothing: T) -> T:
    """The answer, with known keys redacted; `nothing` if there is none, or if it does not fit.

    It need not come from the worker: the user's code may write to its socket.
    """
    if answer is None or answer == b"{}":
        return nothing
    try:
        if known := keys.known():
            return msgspec.convert(without_keys(msgspec.json.decode(answer), known), kind)
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError:
        return nothing
