"""Several processes on one folder, and processes that are killed.

A second `History` of a folder is what a second process has.
"""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from oi_daemon.history import History, naming
from tests.history.conversations import CONVERSATION, another, asked, saved, stored

ROOT = Path(__file__).parents[2]


def test_a_save_keeps_what_another_has_written(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    other = another(folder)
    other.load("a")
    other.save("a", asked("theirs"))

    mine = saved(history, "a", asked("mine"))

    assert mine != path
    assert (stored(path), stored(mine)) == (asked("theirs"), asked("mine"))
    assert saved(history, "a", asked("mine, more")) == mine


def test_each_goes_on_with_its_own(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    other = another(folder)
    other.load("a")
    other.save("a", asked("theirs"))
    mine = saved(history, "a", asked("mine"))

    assert history.load("a") == asked("mine")
    ours = {entry.conversation: entry.title for entry in history.list().entries}
    assert ours == {"a": "mine", path.stem: "theirs"}
    assert history.load(path.stem) == asked("theirs")
    theirs = {entry.conversation: entry.title for entry in other.list().entries}
    assert theirs == {"a": "theirs", naming.id_in(mine.name): "mine"}


def test_a_file_that_was_never_read_is_not_replaced(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    assert saved(another(folder), "a", asked("mine")) != path
    assert stored(path) == CONVERSATION


def test_a_file_that_was_removed_is_written_again(history: History) -> None:
    path = saved(history, "a", CONVERSATION)
    path.unlink()
    assert saved(history, "a", CONVERSATION) == path


def test_no_save_of_many_at_once_is_lost(folder: Path) -> None:
    """Real processes save one conversation at once: the last state of each is somewhere."""
    code = """
import sys
from pathlib import Path
from oi_daemon.history import History
from oi_daemon.messages import UserMessage
history = History(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
for count in range(30):
    history.save("same", [UserMessage(f"{sys.argv[2]} {count}")])
"""
    with ExitStack() as stack:
        writers = [stack.enter_context(_python(code, folder, str(n))) for n in range(3)]
        for writer in writers:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin
            writer.stdin.close()

    kept = [stored(path) for path in folder.glob("*.json")]
    assert all(asked(f"{n} 29") in kept for n in range(3))


def test_a_killed_writer_loses_nothing_that_was_saved(folder: Path) -> None:
    """kill -9 in the midst of saving: the file loads and holds a state not older than reported."""
    code = """
import sys
from pathlib import Path
from oi_daemon.history import History
from oi_daemon.messages import UserMessage
history = History(Path(sys.argv[1]))
count = len(history.load("a") or [])
while True:
    count += 1
    history.save("a", [UserMessage("x" * 3000)] * count)
    print(count, flush=True)
"""
    reported = 0
    for round_ in range(5):
        with _python(code, folder) as writer:
            assert writer.stdout
            for _ in range(20 + 7 * round_):
                reported = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)

        messages = another(folder).load("a")
        assert messages is not None
        assert len(messages) >= reported
        assert len(another(folder).list().entries) == 1


def _python(code: str, *args: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_both_are_told_where_each_version_is(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    other = another(folder)
    other.load("a")
    history.save("a", [*CONVERSATION, *asked("mine")])

    copy = saved(other, "a", [*CONVERSATION, *asked("theirs")])
    [told] = other.take_notices("a")
    history.save("a", [*CONVERSATION, *asked("mine"), *asked("more")])
    [also_told] = history.take_notices("a")

    assert str(path) in told
    assert str(copy) in told
    assert str(copy) in also_told
    assert history.take_notices("a") == []
