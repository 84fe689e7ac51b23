"""Bash's own tests: `tests` of its source, the files `*.tests` and the parts `*.sub` that they run.

Each runs in a copy of the folder, where it has the name `bash`, because a block's `$0` is that.

What differs with bash 5.2, and why:

- `exec11`, `trap5`: a trap on EXIT that is left at the end of the file; a block's end is no exit.
- `read6`, `read7`: `read -t` on the standard input, which is a person, not `/dev/null`.
- `rsh`, `rsh1`, `rsh2`: a restricted shell may not redirect or replace itself, so it cannot go on
  after its exit; that the variables are lost is said.
- `vredir6`: `ulimit -n 6` leaves the shell no descriptor for its next block; that is said too.
- `nameref11`, `nameref18`, sometimes: a coprocess that ends at once, and has no variables when the
  next command comes.
- `varenv4`, `varenv14`: an error in `declare v+=(...)` names the command that was run last, which
  is one of the active line's.
- `heredoc7`: a here-document whose end stands within `$(...)` that follows it on its first line.
- `posixexp`: an error about a quote that is still open at the end names the wrong one.
"""

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fidelity.program import Corpus, Program

_TOOLS = ("recho", "zecho", "printenv", "xcase")
"""Programs that the tests use; the source has them in `support`."""
_COMPILE = ("cc", "-w", "-DHAVE_STDLIB_H", "-DHAVE_STRING_H", "-DHAVE_UNISTD_H")
_COMMAND = ("bash", "-O", "expand_aliases", "bash")
_VARYING = re.compile(
    r"^(declare -x |export )?OI_DAEMON_\w+=.*\n"  # what the guard knows our processes by
    r"|\b(?:pid |PID: )?\d{3,7}\b(?= Killed| Terminated)",
    re.MULTILINE,
)


def programs(folder: Path) -> Iterator[Program]:
    """The tests in the order of their names."""
    work = Path(tempfile.mkdtemp(prefix="bash-tests-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    _prepare(folder, work)
    tests = work / "tests"
    for file in _files(folder / "tests"):
        try:
            code = file.read_bytes().decode()
        except UnicodeDecodeError:  # a block is text
            continue
        before = partial(_restore, folder / "tests", tests, file)
        yield Program(file.name, code, _COMMAND, tests, before=before)


def _restore(original: Path, copy: Path, program: Path) -> None:
    """Undo what a test has left in the copy of the folder, and make a program its `bash`."""
    if not copy.exists():
        shutil.copytree(original, copy)
    (copy / "bash").unlink(missing_ok=True)
    wanted, found = _entries(original), _entries(copy)
    for name in wanted.keys() | found.keys():
        if wanted.get(name) != found.get(name):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(original, copy)
            break
    shutil.copy(program, copy / "bash")


def _entries(folder: Path) -> dict[str, tuple[int, float, int]]:
    """The size, time of change and mode of all that is in a folder."""
    with os.scandir(folder) as entries:
        stats = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return {n: (0 if n == "misc" else s.st_size, s.st_mtime, s.st_mode) for n, s in stats.items()}


def _files(tests: Path) -> list[Path]:
    """The files that are run, by the scripts `run-*` or by others."""
    runs = "".join(file.read_text() for file in tests.glob("run-*"))
    named = {tests / name for name in re.findall(r"THIS_SH\} (?:\./)?([\w.-]+)", runs)}
    found = {*tests.glob("*.tests"), *tests.glob("*.sub"), *named}
    return sorted(file for file in found if file.is_file())


def _prepare(folder: Path, work: Path) -> None:
    """Compile the tools, and set the environment that the tests expect."""
    tools = work / "tools"
    tools.mkdir()
    for tool in _TOOLS:
        source = folder / f"support/{tool}.c"
        subprocess.run((*_COMPILE, f"-I{folder}", "-o", tools / tool, source), check=True)
    for name in ("BASH_ENV", "OLDPWD", "SHELLOPTS", "BASHOPTS", "VIRTUAL_ENV", "CONDA_PREFIX"):
        os.environ.pop(name, None)
    os.environ |= {
        "THIS_SH": shutil.which("bash") or "bash",
        "BUILD_DIR": str(folder),
        "TMPDIR": str(work),
        "BASH_TSTOUT": str(work / "out"),
        "PATH": f"{tools}:{os.environ['PATH']}:.",
    }


def normalized(output: str) -> str:
    """The output without what only our processes have in their environment."""
    return _VARYING.sub("", output)


CORPUS = Corpus("shell", programs, normalized, has_status=True)
