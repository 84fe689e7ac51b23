"""Turn after turn at a prompt, with errors in words."""

from collections.abc import Callable, Sequence
from contextlib import closing
from enum import IntEnum
from pathlib import Path

from oi_daemon import magic
from oi_daemon.errors import InvalidError, NoModelError, OIError
from oi_daemon.messages.shapes import ChunkStream
from oi_daemon.settings.paths import prompt_history_path
from oi_daemon.terminal.approval import NO_EDITOR, Person
from oi_daemon.terminal.conversation import TerminalConversation
from oi_daemon.terminal.daemon_log import DaemonLog
from oi_daemon.terminal.display import show
from oi_daemon.terminal.editor import edit_text
from oi_daemon.terminal.interrupts import CtrlC
from oi_daemon.terminal.line import can_draw, has_terminal, read_line, read_plain_line
from oi_daemon.terminal.magic import HERE, run_magic, used_by_turn
from oi_daemon.terminal.mentions import mentioned_files
from oi_daemon.terminal.notebook import can_ask, is_notebook
from oi_daemon.terminal.printing import QUITTING, OutputError, print_text, print_warning, visible
from oi_daemon.terminal.saving import save_settings

_UNEXPECTED = (
    "Something unexpected went wrong: {kind}: {error}. Debug mode (--debug_mode, or %debug at the"
    " prompt) shows all of it."
)
_ELSEWHERE = "This waits for an answer, which another client can give: there is no terminal here."
_NO_INPUT = (
    "There is nobody to chat with: this notebook cannot ask for input. Say what you want with the"
    ' call, as in `interpreter.chat("Plot a sine")`.'
)
_NO_CODE = "There is no code: write it after `!` or `%%`; Alt-Enter begins another line."
_QUIT = ("exit", "quit", "exit()", "quit()")


class ExitCode(IntEnum):
    """How it went, as the program's exit code."""

    DONE = 0
    FAILED = 1
    NOT_ASKED = 2
    NOT_RUN = 3
    """Code was not run because there was nobody to ask."""
    BUDGET = 4
    """`max_budget` was reached before the answer."""
    INTERRUPTED = 130
    PIPE = 141
    """Nobody reads the output any more."""


class Session:
    """A person at a terminal, in a conversation."""

    def __init__(
        self,
        conversation: TerminalConversation,
        *,
        log: DaemonLog | None = None,
        nobody_to_ask: bool = False,
    ) -> None:
        """
        Args:
            log: holds the daemon's log lines; None if the daemon writes them to the screen.
            nobody_to_ask: decline every block, unless `auto_run` is on.
        """
        self._conversation = conversation
        self._log = log
        self._nobody_to_ask = nobody_to_ask
        self._interrupts = CtrlC()
        self._latest: tuple[str, Sequence[Path]] | None = None
        """The latest message, and the files that went with it."""

    def converse(self) -> None:
        """Ask until the person quits: by Ctrl-D, twice Ctrl-C, or a word for it, at the prompt."""
        if is_notebook() and not can_ask():
            return print_warning(_NO_INPUT)
        read = self._reader()
        with self._interrupts:
            while True:
                self._interrupts.clear()
                try:
                    message = read()
                except (EOFError, KeyboardInterrupt):
                    return print_text("")
                if message in _QUIT:
                    return
                if message:
                    self._handle(message)

    def ask(self, message: str, files: Sequence[Path] = ()) -> ExitCode:
        """Send one message, and show its answer.

        The message may be data of a pipe, so it is never code of the person's own.

        Args:
            files: go with the message.
        """
        with self._interrupts:
            return self._in_words(lambda: self._ask(message, files))

    def attach(self, conversation: str) -> ExitCode | None:
        """Go on with a conversation of the shared daemon: show it, and the turn under way.

        Returns None if no conversation was chosen.

        Args:
            conversation: its id. Empty for the running one; where several run, one is chosen.

        Raises:
            OIError: there is no such conversation.
        """
        with self._interrupts:
            return self._attach(conversation)

    def _reader(self) -> Callable[[], str]:
        """The function that waits for the next message."""
        start = self._conversation.start
        if not can_draw():
            return self._read_plainly
        from oi_daemon.terminal.prompt import Prompt

        prompt = Prompt(
            prompt_history_path(),
            keeps=lambda: self._conversation.conversation_history,
            commands=[f"%{name}" for name in [*magic.COMMANDS, *HERE]],
            auto_run=lambda: self._conversation.auto_run,
        )
        return lambda: prompt.read(on_shown=start)

    def _read_plainly(self) -> str:
        """Wait for a message where the cursor cannot be moved, as in a notebook or a pipe.

        Raises:
            EOFError: the input has ended, or there is none.
        """
        line = self._read_or_clear("> ")
        if line is None:
            raise EOFError
        return line.strip()

    def _read_or_clear(self, sign: str) -> str | None:
        """A line from standard input; None at its end.

        In a terminal, Ctrl-C clears the line, and a second one quits.
        """
        try:
            with self._interrupts.wait():
                return read_plain_line(sign)
        except KeyboardInterrupt:
            if sign == QUITTING or not has_terminal():
                raise
        print_text("")
        self._interrupts.clear()
        return self._read_or_clear(QUITTING)

    def _handle(self, message: str) -> ExitCode:
        """Do what the person has typed. Errors are printed."""
        return self._in_words(lambda: self._do(message))

    def _do(self, message: str) -> ExitCode:
        """Run code of the person's own, a magic command or a turn."""
        if own := magic.own_code(message):
            return self._run_own(*own)
        return self._ask(message, mentioned_files(message))

    def _ask(self, message: str, files: Sequence[Path]) -> ExitCode:
        """Run a magic command or a turn."""
        if not magic.is_magic(message):
            return self._run_turns(message, files)
        name, argument = magic.split_magic(message, HERE)
        match name:
            case "attach":
                return self._attach(argument) or ExitCode.DONE
            case "retry":
                return self._retry()
            case "edit":
                return self._edit(argument)
        print_text(run_magic(self._conversation, message))
        return ExitCode.DONE

    def _run_own(self, language: str, code: str) -> ExitCode:
        """Run a block of the person's own."""
        if not code:
            print_warning(_NO_CODE)
            return ExitCode.NOT_ASKED
        person = Person(self._conversation, self._interrupts, nobody_to_ask=self._nobody_to_ask)
        self._show(self._conversation.execute(language, code, stream=True), person)
        return ExitCode.DONE

    def _retry(self) -> ExitCode:
        """Ask the last question again, in place of its answer."""
        asked = [
            message.get("message", "")
            for message in self._conversation.messages
            if message["role"] == "user"
        ]
        if not asked:
            raise InvalidError("There is no question to ask again.")
        message: str = asked[-1]
        files: Sequence[Path] = ()
        if self._latest is not None and message.startswith(self._latest[0]):
            message, files = self._latest  # without what was read from the files
        self._conversation.undo()
        print_text(f"> {visible(message)}", "dim")
        return self._run_turns(message, files)

    def _edit(self, draft: str) -> ExitCode:
        """Let the person write a message in their editor, and send it."""
        if not has_terminal():
            raise InvalidError(NO_EDITOR)
        written = (edit_text(draft, ".md") or "").strip()
        if not written:
            print_text("Nothing was written, so nothing is sent.")
            return ExitCode.DONE
        print_text(f"> {visible(written)}", "dim")
        return self._do(written)

    def _attach(self, conversation: str) -> ExitCode | None:
        """See `attach`."""
        from oi_daemon.terminal.conversations import show_messages
        from oi_daemon.terminal.running import choose_running

        chosen = conversation or choose_running(self._conversation.running())
        if chosen is None:
            return None
        messages, chunks = self._conversation.attach(chosen)
        show_messages(messages)
        return ExitCode.DONE if chunks is None else self._in_words(lambda: self._follow(chunks))

    def _follow(self, chunks: ChunkStream) -> ExitCode:
        """Show a turn that another client has begun. Without a terminal, others answer."""
        if self._nobody_to_ask or not has_terminal():
            self._show(self._watched(chunks), None)
            return ExitCode.DONE
        person = Person(self._conversation, self._interrupts)
        self._show(chunks, person)
        return ExitCode.DONE if person.next_message is None else self._say(person.next_message)

    def _say(self, message: str) -> ExitCode:
        """Send what the person has said at an approval, which stays on the screen."""
        print_text(f"\n> {visible(message)}\n")
        return self._run_turns(message, mentioned_files(message))

    def _watched(self, chunks: ChunkStream) -> ChunkStream:
        """The chunks; of what waits for an answer, it is said that another client gives it."""
        with closing(chunks):
            for chunk in chunks:
                yield chunk
                if "input" in chunk or (
                    "executing" in chunk and self._conversation.awaits_approval
                ):
                    print_warning(_ELSEWHERE)

    def _in_words(self, action: Callable[[], ExitCode]) -> ExitCode:
        """Do something. Errors are printed."""
        try:
            return action()
        except OutputError:  # see `program.main`, as for a broken pipe
            raise
        except OIError as error:
            print_warning(str(error), "error")
            return ExitCode.FAILED
        except KeyboardInterrupt:
            print_warning("Interrupted.")
            return ExitCode.INTERRUPTED
        except BrokenPipeError:  # nobody reads the output any more: see `program.main`
            raise
        except Exception as error:  # a bug of ours must not end the conversation
            if self._conversation.debug_mode:
                raise
            text = _UNEXPECTED.format(kind=type(error).__name__, error=error)
            print_warning(text, "error")
            return ExitCode.FAILED

    def _run_turns(self, message: str, files: Sequence[Path] = ()) -> ExitCode:
        """Run a turn, and the turns that follow from what the person says at an approval."""
        person = Person(self._conversation, self._interrupts, nobody_to_ask=self._nobody_to_ask)
        while True:
            try:
                self._run_turn(message, files, person)
            except NoModelError as error:
                if not self._choose_model(error):
                    raise
            else:
                break
        if person.next_message is not None:
            return self._say(person.next_message)
        if person.was_absent:
            return ExitCode.NOT_RUN
        is_spent = self._conversation.last_turn.get("status") == "budget"
        return ExitCode.BUDGET if is_spent else ExitCode.DONE

    def _run_turn(self, message: str, files: Sequence[Path], person: Person) -> None:
        """Run a turn, and show it."""
        self._latest = message, files
        if files:
            print_text(f"with {', '.join(visible(str(path)) for path in files)}", "dim")
        chunks = self._conversation.chat(message, stream=True, display=False, files=files)
        self._show(chunks, person)
        if self._conversation.debug_mode:
            print_warning(run_magic(self._conversation, "%budget"))
        elif self._conversation.show_usage:
            print_warning(used_by_turn(self._conversation), "dim")

    def _show(self, stream: ChunkStream, person: Person | None) -> None:
        """Show the chunks of a turn to its end."""
        shown = show(
            self._interrupts.watch(stream),
            person,
            log=self._log,
            debug=self._conversation.debug_mode,
            model=self._conversation.model,
            sandboxed=self._conversation.sandbox != "none",
            result=lambda: self._conversation.last_result,
        )
        with closing(shown):
            for _ in shown:
                pass

    def _choose_model(self, error: NoModelError) -> bool:
        """Ask which of the server's models to use, and save it.

        False if none was chosen. Where nobody can be asked, the error lists the models.
        """
        if not error.models or self._nobody_to_ask or not has_terminal():
            return False
        print_warning(f"The server does not have the model {self._conversation.model}.")
        model = _chosen(error.models)
        if model is None:
            return False
        self._conversation.model = model
        print_text(f"The model is now {model}.")
        save_settings({"model": model})
        return True


def _chosen(models: Sequence[str]) -> str | None:
    """The model that the person chooses; None for none. The first one is proposed."""
    if not can_draw():
        print_text(f"It has: {', '.join(models)}.")
        line = read_line(f"Which model? [{models[0]}] ")
        return None if line is None else line.strip() or models[0]
    from oi_daemon.terminal.choice import Row, among, choose

    proposed, *others = models
    rows = [Row(proposed, proposed, "proposed"), *(Row(model, model) for model in others)]
    row = choose("Which model? It has these:", among(rows))
    return row.value if row else None
