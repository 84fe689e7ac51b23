"""The script that a bash reads instead of one from a file: its blocks, and our parts around them.

The parts are in `boot.bash`. The script is a file that grows while bash reads it.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from shlex import quote

from oi_daemon.execution.process.guard import guard

_BOOT = Path(__file__).with_name("boot.bash")
_MEMORY = Path("/dev/shm")
"""Folder in memory, where the code may write in a sandbox too."""
_CRASHES = ("ABRT", "BUS", "FPE", "ILL", "SEGV")
"""Signals that mean a crash."""
_BUFFER = 8192
"""Size that a script must have at first, or bash reads all of it in small pieces."""
_JOINED = (
    "debug",
    "look",
    "cold",
    "is_found",
    "skip_one",
    "deep",
    "watch",
    "once",
    "back",
    "as_user",
    "find_actions",
    "tidy",
    "ask",
    "show",
    "read_block",
)
"""Parts whose lines are joined, because bash adds the lines of a trap to LINENO."""
_LINES = 1_000
"""Empty lines that make a trap's lines larger than those of a block."""
_FUNCTION = re.compile(
    r"""(?:^|[\s;&|(){}])(?:function\s+([^\s()&|;<>]++)|([^\s()&|;<>$'"`\\=]++)[ \t]*\([ \t]*\))"""
)
_EXEC = re.compile(r"\bexec\s+(?![0-9]*[<>&{])")
_HUSH = "{BASH_XTRACEFD}"
"""Makes a redirection that of a trace, which the block has sent elsewhere than to stderr."""
_READ_WITHIN = 1.0
"""Seconds that bash has to read a block."""
_ARITHMETIC = re.compile(r"\(\(.*?\)\)")
_HERE = re.compile(r"""(?<!<)<<(?!<)(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([^\s;&|<>()'"]+))""")


class ShellScript:
    """The files of one bash, in a folder of their own."""

    def __init__(self, cwd: str) -> None:
        """
        Args:
            cwd: the folder in which the blocks start.
        """
        self._cwd = cwd
        self.folder = _new_folder()
        """Folder of the files, which holds the script under the name `bash`."""
        self.descriptor = os.open(f"{self.folder}/bash", os.O_RDWR | os.O_CREAT, 0o600)
        """Descriptor of the script. Whoever runs bash closes it."""
        self._fixed = {"FOLDER": quote(self.folder), "WAIT": _part("wait")}
        """Words of the parts that are the same for all blocks."""
        self._filled: dict[str, str] = {}
        """The parts that were used, with these words in them."""
        self._begun = False
        """Whether a block has been appended, so that bash has read what came before."""
        self._has_exec = False
        """Whether a block had an `exec` that is more than redirections."""

    def begin(self, nonce: str, control: int, answers: int) -> None:
        """Write what comes before all blocks.

        Args:
            nonce: the word that tells marks from other output.
            control: descriptor of the control socket.
            answers: descriptor that bash does not need, and closes.
        """
        self._fixed["NONCE"] = nonce
        self._fixed["SKIP_ONE"] = _part("skip_one")
        self._fixed["SKIP_ONE_QUOTED"] = quote(_part("skip_one"))
        self._fixed["READ_BLOCK"] = self._fill("read_block")
        self._fixed["LEAVE"] = quote("\n" * _LINES + self._fill("leave_trap"))
        self._fixed["INTERRUPT"] = quote(self._fill("interrupt", SKIP=quote(self._fill("skip"))))
        crashes = [(name, _part("crash").replace("@SIGNAL@", name)) for name in _CRASHES]
        lines = [rf"\builtin trap -- {quote(action)} {name}" for name, action in crashes]
        ready = self._fill("ready", CRASHES="\n".join(lines))
        descriptors = {"CONTROL": control, "ANSWERS": answers, "SCRIPT": self.descriptor}
        numbers = {name: str(number) for name, number in descriptors.items()}
        start = self._fill("start", **numbers, CWD=quote(self._cwd), READY=ready)
        os.write(self.descriptor, f"#{' ' * _BUFFER}\n{start}\n".encode())
        deep = self._fill("deep", UNWIND=quote(self._fill("unwind")))
        own = {
            "DEEP": quote(deep),
            "COLD": quote(self._fill("cold")),
            "COOL": _part("cool"),
            "FIND_ACTIONS": self._fill("find_actions"),
        }
        joined = ("once", "as_user", "tidy", "ask", "is_found")
        own |= {name.upper(): self._fill(name) for name in joined}
        end = self._fill("end")
        for name in ("leave", "hot", "watch", "back"):
            self._write(name, self._fill(name, **own))
        self._write("after", self._fill("after_all", COOL=_part("cool"), END=end) + "\n~")
        self._write("end", f"{ready}\n{end}")

    def append(self, number: int, code: str) -> None:
        """Make this block what bash reads next. It must have read all that was there before."""
        words = {"NUMBER": str(number), "SHOWN": _shown(code)}
        show = self._fill("show", **words)
        words["DEBUG"] = quote(self._fill("debug", SHOW=show))
        words["LOOK"] = quote(self._fill("look", SHOW=show))
        words |= {"SHOW": quote(show), "BEGIN": quote(self._fill("begin", **words))}
        self._write("block", self._fill("block", **words))
        before = self._fill("before", **words)
        words["HUSH"] = _HUSH if "BASH_XTRACEFD" in code else ""
        if not self._has_exec and "exec" in code and _EXEC.search(code):
            self._has_exec = True
            self._write("exec", "")
        reset = self._fill("reset", LINES=str(before.count("\n") + 1))
        after = "" if _ends_within(code) else f"\n\n{self._fill('after', **words)}\n"
        text = f"{reset}\n{before}\n{code}{after}"
        end_of_script = os.fstat(self.descriptor).st_size
        if self._begun:  # what bash has read need not be kept
            os.ftruncate(self.descriptor, 0)
        self._begun = True
        os.pwrite(self.descriptor, text.encode("utf-8", "replace"), end_of_script)

    def _fill(self, part: str, **words: str) -> str:
        """A part of `boot.bash`, with words in the place of those that stand in at-signs."""
        text = self._filled.get(part)
        if text is None:
            text = self._filled[part] = _replace(_part(part), self._fixed)
        return _replace(text, words) if words else text

    def _write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        file = os.open(f"{self.folder}/{name}", flags, 0o600)
        os.write(file, f"{text}\n".encode("utf-8", "replace"))
        os.close(file)


def _replace(text: str, words: Mapping[str, str]) -> str:
    """The text with words in the place of their names in at-signs."""
    for name, word in words.items():
        text = text.replace(f"@{name}@", word)
    return text


def _new_folder() -> str:
    """Make a folder, which the guard removes if the daemon dies; returns its path."""
    memory = str(_MEMORY) if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    folder = tempfile.mkdtemp(prefix="oi-", dir=memory)
    guard().add_folder(folder)
    return folder


@cache
def _parts() -> dict[str, str]:
    """The parts of `boot.bash`, without their comments, by their names."""
    parts = {}
    for part in _BOOT.read_text().split("\n### ")[1:]:
        head, text = part.split("\n", 1)
        text = re.sub(r"\A(#.*\n)+", "", text).strip("\n")
        name = head.split(":")[0]
        parts[name] = " ".join(text.split("\n")).rstrip(";") if name in _JOINED else text
    return parts


def _part(name: str) -> str:
    """A part of `boot.bash` as it is."""
    return _parts()[name]


def _shown(code: str) -> str:
    """The condition under which the line that bash runs is one of this block.

    A function must be defined in this block, above the line and above the outermost call.
    """
    last = code.count("\n") + 1
    first: dict[str, int] = {}
    line, place = 1, 0
    for found in _FUNCTION.finditer(code) if "(" in code or "function" in code else ():
        name = found[1] or found[2]
        if name not in first:
            line += code.count("\n", place, found.end())
            place = found.end()
            first[name] = line
    top = f"! ${{FUNCNAME-}} && LINENO -le {last}"
    if not first:
        return top
    each = [f"$FUNCNAME == {quote(name)} && LINENO -ge {line}" for name, line in first.items()]
    called = "BASH_LINENO[${#BASH_LINENO[@]}-2] -ge LINENO"
    return f"{top} || ${{BASH_SOURCE-}} == bash && {called} && ( {' || '.join(each)} )"


def _ends_within(code: str) -> bool:
    """Whether the block ends within a here-document, which would take in what we append."""
    return "<<" in code and _may_end_within(_ARITHMETIC.sub("", code)) and _is_unended(code)


def _may_end_within(code: str) -> bool:
    """Whether there seems to be a here-document without an end."""
    body = 0  # where the body of the next here-document begins
    place = 0
    while found := _HERE.search(code, place):
        body = max(body, _next_line(code, found.end()))
        place = found.end()
        end = found[2] or found[3] or found[4]
        tabs = "\t*" if found[1] else ""
        ending = re.compile(rf"^{tabs}{re.escape(end)}$", re.MULTILINE).search(code, body)
        if ending:
            body = _next_line(code, ending.end())
            if "<<" not in code[place : _next_line(code, place)]:
                place = body
        elif not end.isdigit():
            return True
    return False


def _next_line(code: str, place: int) -> int:
    """Where the line after this place begins."""
    return code.find("\n", place) + 1 or len(code)


def _is_unended(code: str) -> bool:
    """Ask bash, which only reads the code, whether it ends within a here-document.

    It takes some milliseconds, so it is asked only about code that seems to.
    """
    try:
        read = subprocess.run(
            ("bash", "--norc", "-n"),
            input=code.encode("utf-8", "replace"),
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            timeout=_READ_WITHIN,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return b"delimited by end-of-file" in read.stderr
