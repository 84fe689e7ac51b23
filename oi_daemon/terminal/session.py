"""Turn after turn at a prompt, with errors in words."""

from collections.abc import Callable
from contextlib import closing
from enum import IntEnum

from oi_daemon.errors import NoModelError, OIError
from oi_daemon.settings.file import keep_setting
from oi_daemon.settings.paths import prompt_history_path
from oi_daemon.terminal.approval import Person
from oi_daemon.terminal.conversation import LibraryInterpreter
from oi_daemon.terminal.display import show
from oi_daemon.terminal.interrupts import CtrlC
from oi_daemon.terminal.line import can_draw
from oi_daemon.terminal.magic import COMMANDS, is_magic, run_magic
from oi_daemon.terminal.notices import Notices
from oi_daemon.terminal.voice import tell, warn

_FAULT = (
    "Something unexpected went wrong: {kind}: {error}. In debug mode (%debug) it is told in full."
)
_LEAVING = ("exit", "quit", "exit()", "quit()")
_NOT_FOR_CHAT = ("embed", "whisper", "tts", "dall-e", "image", "moderation", "realtime", "audio")


class Exit(IntEnum):
    """How it went, as the program's exit code."""

    DONE = 0
    FAILED = 1
    NOT_ASKED = 2
    NOT_RUN = 3
    """There was code, and nobody to say yes."""
    BUDGET = 4
    """The limit was reached before the answer."""
    INTERRUPTED = 130


class Session:
    """A person at a terminal, in a conversation."""

    def __init__(
        self,
        conversation: LibraryInterpreter,
        *,
        notices: Notices | None = None,
        alone: bool = False,
    ) -> None:
        """
        Args:
            notices: where the daemon's lines come from, if it does not write to the screen itself.
            alone: nobody is there to be asked, so that no code runs without `auto_run`.
        """
        self._conversation = conversation
        self._notices = notices
        self._alone = alone
        self._interrupts = CtrlC()

    def converse(self) -> None:
        """Ask until the person leaves: by Ctrl-D, twice Ctrl-C, or a word for it, at the prompt."""
        read = self._reader()
        with self._interrupts:
            while True:
                self._interrupts.forget()
                try:
                    message = read()
                except (EOFError, KeyboardInterrupt):
                    return tell("")
                if message in _LEAVING:
                    return
                if message:
                    self._say(message)

    def ask(self, message: str) -> Exit:
        """One message, answered."""
        with self._interrupts:
            return self._say(message)

    def _reader(self) -> Callable[[], str]:
        start = self._conversation.start
        if not can_draw():
            return self._read_plainly
        from oi_daemon.terminal.prompt import Prompt

        prompt = Prompt(
            prompt_history_path(),
            keeps=lambda: self._conversation.conversation_history,
            commands=[f"%{name}" for name in COMMANDS],
        )
        return lambda: prompt.read(shown=start)

    def _read_plainly(self) -> str:
        """Where the cursor cannot be moved, such as in a notebook or from a pipe."""
        with self._interrupts.wait():
            return input("> ").strip()

    def _say(self, message: str) -> Exit:
        try:
            if is_magic(message):
                tell(run_magic(self._conversation, message))
                return Exit.DONE
            return self._turns(message)
        except OIError as error:
            warn(str(error), "error")
            return Exit.FAILED
        except KeyboardInterrupt:
            warn("Interrupted.")
            return Exit.INTERRUPTED
        except Exception as error:  # a fault of ours must not cost the conversation
            if self._conversation.debug_mode:
                raise
            warn(_FAULT.format(kind=type(error).__name__, error=error), "error")
            return Exit.FAILED

    def _turns(self, message: str | None) -> Exit:
        """A turn, and those that the person's words at an approval lead to."""
        person = Person(self._conversation, self._interrupts, alone=self._alone)
        while message is not None:
            person.words = None
            try:
                self._turn(message, person)
            except NoModelError as error:
                if not self._choose_model(error):
                    raise
                continue
            message = person.words
        if person.absent:
            return Exit.NOT_RUN
        spent = self._conversation.last_turn.get("status") == "budget"
        return Exit.BUDGET if spent else Exit.DONE

    def _turn(self, message: str, person: Person) -> None:
        chunks = self._interrupts.over(self._conversation.chat(message, stream=True, display=False))
        debug = self._conversation.debug_mode
        with closing(show(chunks, person, notices=self._notices, debug=debug)) as shown:
            for _ in shown:
                pass
        if debug:
            warn(run_magic(self._conversation, "%budget"))

    def _choose_model(self, error: NoModelError) -> bool:
        """Offer the models that the server has; the one that is chosen is kept."""
        models = [m for m in error.models if not any(word in m for word in _NOT_FOR_CHAT)]
        if not models or not can_draw():
            return False
        from oi_daemon.terminal.choice import Row, among, choose

        warn(f"The server does not have the model {self._conversation.model}.")
        row = choose("It has these:", among([Row(model, model) for model in sorted(models)]))
        if row is None:
            return False
        self._conversation.model = row.value
        tell(f"The model is {row.value}, from now on ({keep_setting('model', row.value)}).")
        return True
