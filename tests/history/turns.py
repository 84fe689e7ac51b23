"""A story of a conversation, as the daemon saves it: after each step, a state is acknowledged."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from oi_daemon.history import History, Merge
from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage

PICTURE = {"image/png": base64.b64encode(bytes(range(256)) * 40).decode(), "text/plain": "<Plot>"}

_ASKED = UserMessage("Plot it")
_SAID = AssistantMessage("Let me see.")
_CODE = CodeMessage("python", "plot()")
_RUN = CodeMessage("python", "plot()", "done\n" * 30, (PICTURE,))
_ENDED = AssistantMessage("There it is.")
_MORE = UserMessage("And more")
_TEXT = AssistantMessage("That is all. " * 20)

CONVERSATION = "story"


@dataclass(frozen=True)
class Step:
    """What the daemon does, and the messages that are then acknowledged; None: it is deleted."""

    messages: tuple[Message, ...] | None
    merge: Merge = "later"

    def run(self, history: History) -> None:
        if self.messages is None:
            history.delete(CONVERSATION)
        else:
            history.save(CONVERSATION, self.messages, merge=self.merge)


STORY = [
    Step((_ASKED,)),
    Step((_ASKED, _SAID)),
    Step((_ASKED, _SAID, _CODE)),
    Step((_ASKED, _SAID, _RUN)),
    Step((_ASKED, _SAID, _RUN, _ENDED), merge="now"),
    Step((_ASKED, _SAID, _RUN, _ENDED, _MORE)),
    Step((_ASKED, _SAID, _RUN, _ENDED, _MORE, replace(_RUN, output="again"))),
    Step((_ASKED, _SAID, _RUN, _ENDED, _MORE, replace(_RUN, output="again"), _TEXT), merge="now"),
    Step((_ASKED, _SAID, _RUN, _ENDED), merge="now"),  # undone
    Step((_ASKED, _SAID, _RUN, _ENDED, UserMessage("Else"))),
    Step((_ASKED, _SAID, _RUN, _ENDED, UserMessage("Else"), _TEXT), merge="now"),
    Step((_ASKED, _SAID, _RUN, _ENDED, UserMessage("Else"), _TEXT, _MORE), merge="soon"),
    Step((_ASKED, _SAID, _RUN, _ENDED, UserMessage("Else"), _TEXT, _MORE, _RUN), merge="soon"),
    Step((_ASKED, _SAID, _RUN, _ENDED, UserMessage("Else"), _TEXT, _MORE, _RUN), merge="now"),
]
DELETED = Step(None)


def states(acknowledged: int) -> Iterator[tuple[Message, ...] | None]:
    """The states that may be found after so many steps were acknowledged, of those not counted."""
    before = STORY[acknowledged - 1].messages if acknowledged else None
    yield before
    if acknowledged < len(STORY):
        yield STORY[acknowledged].messages


def play_story(history: History, acknowledge: Callable[[int], None]) -> None:
    """Do all steps of the story, and call `acknowledge` with the number of each that is done."""
    for number, step in enumerate(STORY, 1):
        step.run(history)
        acknowledge(number)
